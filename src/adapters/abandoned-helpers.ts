import { AixclError } from '../errors.ts';
import { labels } from '../labels.ts';
import type { ContainerSummary, Engine } from '../stack/engine.ts';
import { claim } from './claim.ts';
import { claimOf } from './helper-container.ts';

/**
 * Takes away the helpers of this home that killed commands left; those of commands that live stay. Answers their names. `before`: called
 * before each goes.
 */
export async function reapHelpers(
  engine: Engine,
  home: string,
  exceptOperation?: string,
  before?: (helper: ContainerSummary) => Promise<void>,
): Promise<readonly string[]> {
  const helpers = await engine.listContainers({ [labels.home]: home, [labels.operation]: '' });
  const left = await abandonedHelpers(helpers, home, exceptOperation);
  for (const helper of left) {
    await before?.(helper);
    await engine.removeHelper(helper.id, home);
  }
  return left.map(({ name }) => name);
}

/** The helpers of this home that killed commands left. */
export async function abandonedHelpers(
  containers: readonly ContainerSummary[],
  home: string,
  exceptOperation?: string,
): Promise<ContainerSummary[]> {
  const left: ContainerSummary[] = [];
  for (const container of containers) {
    const operation = container.labels[labels.operation];
    if (operation === undefined || operation === exceptOperation) continue;
    if (container.labels[labels.home] === home && (await isAbandoned(container))) left.push(container);
  }
  return left;
}

/** Nobody holds the claim that whoever made it keeps while it lives. */
async function isAbandoned({ name }: ContainerSummary): Promise<boolean> {
  try {
    const own = await claim(claimOf(name), { what: name, holder: 'aixcl' });
    await own[Symbol.asyncDispose]();
    return true;
  } catch (error) {
    if (error instanceof AixclError && error.code === 'busy') return false;
    throw error;
  }
}
