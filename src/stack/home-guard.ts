import { AixclError } from '../errors.ts';
import type { Home } from '../home.ts';
import { labels } from '../labels.ts';
import type { ContainerSummary } from './engine.ts';

/** One home per engine: refuses to work on an engine whose containers belong to another one (under sudo, say). */
export function refuseOtherHome(containers: readonly ContainerSummary[], home: Home): void {
  const other = containers.find((container) => {
    const root = container.labels[labels.home];
    return root !== undefined && root !== home.root;
  });
  if (!other) return;
  const root = other.labels[labels.home];
  throw new AixclError(
    'refused',
    `the container ${other.name} on this engine belongs to the home ${root}, and this command would use ${home.root}`,
    { hint: `AIXCL_HOME=${root} aixcl …` },
  );
}
