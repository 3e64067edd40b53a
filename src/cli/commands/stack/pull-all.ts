import { isLocallyBuilt } from '../../../adapters/debian/llama-image.ts';
import type { ServiceDefinition } from '../../../stack/definition/types.ts';
import type { Engine } from '../../../stack/engine.ts';
import type { StartReport } from '../../../stack/start-report.ts';

/** `--pull always`: fetches every image anew, also those that are here. */
export async function pullAll(
  engine: Engine,
  services: readonly ServiceDefinition[],
  report: StartReport,
  signal: AbortSignal,
): Promise<void> {
  const pulled = services.filter(
    ({ build, pullPolicy, image }) => !build && pullPolicy !== 'never' && !isLocallyBuilt(image),
  );
  await Promise.all(
    [...new Set(pulled.map(({ image }) => image))].map(async (reference) => {
      const step = { kind: 'pull-image', reference, because: '--pull always' } as const;
      report.begin(step);
      try {
        for await (const progress of engine.pullImage(reference, { signal })) report.layer(step, progress);
      } catch (error) {
        report.end(step, error);
        throw error;
      }
      report.end(step);
    }),
  );
}
