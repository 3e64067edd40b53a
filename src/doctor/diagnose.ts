import { checkBackups } from './checks/backups.ts';
import { checkDisks } from './checks/disks.ts';
import { checkEngine } from './checks/engine.ts';
import { checkExamination } from './checks/examination.ts';
import { checkGpu } from './checks/gpu.ts';
import { checkHomes } from './checks/homes.ts';
import { checkImages } from './checks/images.ts';
import { checkLeftovers } from './checks/leftovers.ts';
import { checkPorts } from './checks/ports.ts';
import { checkPrunes } from './checks/prunes.ts';
import { checkRights } from './checks/rights.ts';
import { checkServices } from './checks/services.ts';
import { checkStores } from './checks/stores.ts';
import { checkVault } from './checks/vault.ts';
import { checkVolumes } from './checks/volumes.ts';
import type { Examined } from './examined.ts';
import type { Finding } from './finding.ts';

/** In the order in which findings of one level are shown: what others follow from comes first. */
export const checks: readonly ((examined: Examined) => Finding[])[] = [
  checkEngine,
  checkHomes,
  checkExamination,
  checkVolumes,
  checkPrunes,
  checkRights,
  checkDisks,
  checkServices,
  checkPorts,
  checkGpu,
  checkStores,
  checkVault,
  checkBackups,
  checkLeftovers,
  checkImages,
];

export const levels = ['danger', 'problem', 'note'] as const satisfies readonly Finding['level'][];

/** Every finding, the gravest first. */
export function diagnose(examined: Examined): Finding[] {
  const found = checks.flatMap((check) => check(examined));
  return levels.flatMap((level) => found.filter((finding) => finding.level === level));
}
