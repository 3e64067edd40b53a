import { AixclError } from '../../errors.ts';
import { composeLabels, labels } from '../../labels.ts';
import { isHelper } from '../bare-container.ts';
import type { ContainerSummary, VolumeSummary } from '../engine.ts';
import { isGuard } from '../volumes/guard.ts';
import { type AskedVolume, concernsUs, type ObservedClean, usersOf } from './observe-clean.ts';

/** What `--volumes` may take, beside the containers that go. Throws `notFound`, or `refused` where the volume can't go: nothing goes then. */
export function askedVolume(
  seen: ObservedClean,
  name: string,
  going: readonly ContainerSummary[],
): { readonly volume: VolumeSummary; readonly asked: AskedVolume } {
  const { volumes: all, containers, asked } = seen;
  const volume = all.find((one) => one.name === name);
  const detail = asked.get(name);
  if (!volume) {
    throw new AixclError('notFound', `there is no volume ${name} on this engine; nothing was changed`, {
      hint: `aixcl stack status; if it was saved: aixcl backups list --model ${name}`,
    });
  }
  if (!concernsUs(volume, seen)) {
    const whose = volume.labels[labels.home] ?? volume.labels[composeLabels.project];
    throw new AixclError(
      'refused',
      `the volume ${name} is not of this stack${whose ? `, but of ${whose}` : ': no label of aixcl is on it, and neither a service nor a guard mounts it'}; nothing was changed`,
      { hint: `docker volume inspect ${name}` },
    );
  }
  const user = usersOf(volume, containers).find(
    (one) => !going.includes(one) && !isGuard(one) && !isHelper(one),
  );
  if (user) {
    throw new AixclError(
      'refused',
      `the container ${user.name}, which stays, uses the volume ${name}; nothing was changed`,
      { hint: `When it is no longer needed: docker rm -f ${user.name}` },
    );
  }
  if (!detail) throw new Error(`the volume ${name} was not looked into`);
  if (detail.held !== null) {
    throw new AixclError('refused', `the volume ${name} stays: ${detail.held}; nothing was changed`, {
      hint: `Take it out of the volume first: docker volume inspect ${name}`,
    });
  }
  return { volume, asked: detail };
}
