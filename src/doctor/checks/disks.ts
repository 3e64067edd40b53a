import prettyBytes from 'pretty-bytes';
import type { DiskExamined, Examined } from '../examined.ts';
import type { Finding } from '../finding.ts';
import { few } from '../words.ts';

/** A disk is nearly full below a tenth of it, or below so many bytes. */
const leastBytes = 5 * 2 ** 30;

/** Room on the disks of models, vault and engine, and whether one failing disk takes models and vault. */
export function checkDisks(examined: Examined): Finding[] {
  const { disks = [] } = examined;
  return [...disks.flatMap((disk) => nearlyFull(disk) ?? []), ...sharing(examined)];
}

function nearlyFull({ holds, path, free, total }: DiskExamined): Finding | undefined {
  if (free >= Math.max(total / 10, leastBytes)) return undefined;
  const percent = total > 0 ? Math.floor((free / total) * 100) : 0;
  return {
    check: 'disk-nearly-full',
    level: 'problem',
    what: `the disk of ${few(holds, holds.length)} (${path}) has ${prettyBytes(free)} left, ${percent} %`,
    why: 'On a full disk nothing can be pulled, saved or restored, and the engine stops to work.',
    command: holds.includes('the vault')
      ? 'aixcl backups cleanup --retention-days 30'
      : holds.includes('models')
        ? 'aixcl models list'
        : 'docker system df',
    fixable: false,
  };
}

function sharing({ vaultSharesDisk, vault, backups }: Examined): Finding[] {
  if (!vaultSharesDisk || vault?.elsewhere || backups?.models === 0) return [];
  return [
    {
      check: 'vault-on-models-disk',
      level: 'note',
      what: 'the vault lies on the disk of the models',
      why: 'When that disk fails, models and backups are gone together. A second vault elsewhere has both.',
      command: 'aixcl vault sync FOLDER',
      fixable: false,
    },
  ];
}
