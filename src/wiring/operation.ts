import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AixclError } from '../errors.ts';
import { labels } from '../labels.ts';
import type { Operation } from '../plan/journal.ts';
import { settleStep } from '../plan/operations.ts';
import type { Vault, VaultWriter } from '../vault/vault.ts';
import { journalOf } from './journal.ts';
import { toItsEnd } from './journalled.ts';
import { keeperOf } from './keepers.ts';
import type { Surroundings } from './surroundings.ts';
import { vaultOf } from './vault.ts';

export interface Work {
  readonly operation: Operation;
  readonly writer: VaultWriter;
  readonly vault: Vault;
  /** Some of it, or all, failed, though nothing is thrown: what the journal says in the end. */
  failed(outcome: 'partly' | 'failed', because: string): void;
}

export interface OperationWish {
  /** As the user would type it, without `aixcl`: `models remove`. */
  readonly command: string;
  readonly targets: readonly string[];
}

/** The home's vault, with a helper container for files that this user may not link or read, where there is an engine. */
export function vaultWithHands(context: Surroundings): Vault {
  if (context.engineless) return vaultOf(context);
  return vaultOf(context, async () => {
    const { handsOf } = await import('./ollama.ts');
    return handsOf(context);
  });
}

/**
 * Runs `work` as an operation of the journal and as the vault's one writer, once what killed commands left was finished or taken away.
 * However it ends, the journal says so and the vault is free again.
 */
export async function withOperation<T>(
  context: Surroundings,
  { command, targets }: OperationWish,
  work: (work: Work) => Promise<T>,
): Promise<T> {
  const operation = await journalOf(context).begin(command, targets);
  return toItsEnd(context, operation, (failed) =>
    holdingVault(context, command, operation, (writer) =>
      work({ operation, vault: writer.vault, failed, writer }),
    ),
  );
}

/** Runs `work` as the vault's one writer, for an operation that has begun. What killed commands left is settled first. */
export async function holdingVault<T>(
  context: Surroundings,
  command: string,
  operation: Operation,
  work: (writer: VaultWriter) => Promise<T>,
): Promise<T> {
  const { signal, flags } = context;
  await using writer = await vaultWithHands(context).open({
    holder: `aixcl ${command}`,
    operation: operation.id,
    patience: flags.waitLock,
    signal,
    clearing: (left) => settling(operation, left, 'what it was writing into the vault is cleared away'),
  });
  await recover(context, writer, operation);
  return await work(writer);
}

/**
 * Settles changes of names that a killed command left half done, so that what is observed next is no half. A dry run looks at it as it is.
 * Throws `busy` where they are another command's that is at it.
 */
export async function settleFirst(context: Surroundings, command: string): Promise<void> {
  if (context.flags.dryRun) return;
  for (const runtime of ['llama-server', 'directory'] as const) {
    const keeper = await keeperOf(context, runtime);
    if (!(await keeper.unfinished?.())) continue;
    await withOperation(context, { command, targets: ['what a killed command left'] }, async () => {});
    return;
  }
}

/** Notes by the id of a killed operation what becomes of what it left, so that the journal can tell how that ended. */
function settling(operation: Operation, left: string, because: string): Promise<void> {
  return operation.step(settleStep, left, because);
}

/** What killed commands left: names half changed, models half merged, files shared with the vault, helper containers. Ollama's store clears itself when it is written. */
async function recover(context: Surroundings, writer: VaultWriter, operation: Operation): Promise<void> {
  const { signal, home, out } = context;
  for (const runtime of ['llama-server', 'directory'] as const) {
    const keeper = await keeperOf(context, runtime);
    await keeper.recover?.(writer, {
      signal,
      settling: (left, because) => settling(operation, left, because),
    });
  }
  const { reapStaging } = await import('../adapters/consolidation/staging.ts');
  await reapStaging(home.models, {
    signal,
    settling: (left, because) => settling(operation, left, because),
  });
  const going =
    !context.engineless && existsSync(join(home.root, 'going')) ? await import('./volumes.ts') : undefined;
  const volumes = (await going?.foldersGoing(context)) ?? [];
  const { partLinks } = await import('../adapters/swap/part-links.ts');
  await partLinks([home.models, join(home.ollama, 'models', 'blobs'), ...volumes], writer, {
    signal,
    step: (path, because) => operation.step('part', path, because),
    warn: (line) => out.warn(line),
  });
  await going?.volumeKeeperOf(context).settleGoing();
  if (context.engineless) return;
  try {
    const engine = await context.engine();
    const { reapHelpers } = await import('../adapters/abandoned-helpers.ts');
    await reapHelpers(
      engine,
      home.root,
      operation.id,
      ({ name, labels: { [labels.operation]: left = '' } }) =>
        settling(operation, left, `its helper ${name} is taken away`),
    );
  } catch (error) {
    // Without an engine there are no helpers to take away, and none that still work.
    if (!(error instanceof AixclError) || error.code !== 'engineUnreachable') throw error;
  }
}
