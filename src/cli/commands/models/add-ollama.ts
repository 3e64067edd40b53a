import { registries } from '../../../adapters/registry/registry-client.ts';
import { AixclError } from '../../../errors.ts';
import type { AddReporter } from '../../../models/add.ts';
import type { KeptModel } from '../../../models/keeper.ts';
import { blobTitle } from '../../../models/ollama/kept.ts';
import { blobsOf, type OllamaLayer } from '../../../models/ollama/manifest.ts';
import { type ObservedPull, type PullStep, planPull, targetOf } from '../../../models/ollama/plan-pull.ts';
import { applyPull, observePull, type PullPorts } from '../../../models/ollama/pull.ts';
import { setAside } from '../../../models/ollama/restore.ts';
import type { Need } from '../../../models/room.ts';
import type { Source } from '../../../models/source.ts';
import type { Operation } from '../../../plan/journal.ts';
import { saveBeforeUpdate } from '../../../wiring/models/save-first.ts';
import { type Ollama, ollamaOf } from '../../../wiring/ollama.ts';
import { holdingVault } from '../../../wiring/operation.ts';
import { vaultOf } from '../../../wiring/vault.ts';
import type { Context } from '../../context.ts';
import { bytes } from '../../output/quantity.ts';
import type { AddItem, Batch, FailedSource } from './add-batch.ts';

type NameSource = Extract<Source, { kind: 'ollama' }>;

interface PullWish {
  readonly as?: string | undefined;
  readonly sha256?: string | undefined;
  readonly insecure?: boolean;
}

/** What the sources for Ollama come down to. */
export async function planPulls(
  context: Context,
  sources: readonly NameSource[],
  wish: PullWish,
  reporter: AddReporter,
  failed: (failure: FailedSource) => void,
): Promise<Batch> {
  const { signal } = context;
  const observed: ObservedPull[] = [];
  let found: Ollama | undefined;
  for (const { name, text } of sources) {
    try {
      assertPlain(wish);
      found = await ollamaOf(context);
      // Who could not pull is told before anyone is asked.
      await found.runtime.version();
      const ports = { store: found.store, registry: registries() };
      observed.push(await observePull(name, ports, { insecure: wish.insecure === true, signal }));
    } catch (error) {
      failed({ source: text, error });
    }
  }
  const { steps, needed } = planPull(observed);
  const ollama = found;
  const items = ollama ? steps.map((step) => itemFor(context, ollama, step, reporter)) : [];
  if (!ollama) return { items, needs: [] };
  const coming = { place: ollama.store.place, bytes: needed, space: await ollama.store.space() };
  const updates = observed.filter((_, index) => steps[index]?.kind === 'update');
  return { items, needs: [coming, await savingNeed(context, updates)] };
}

/** What the vault may have to copy: what is installed stays while it is updated. */
async function savingNeed(context: Context, updates: readonly ObservedPull[]): Promise<Need> {
  const vault = vaultOf(context);
  if (updates.length === 0) return { place: vault.path, bytes: 0, space: null };
  const held = await vault.blobs();
  const installed = updates.flatMap((each) => each.installed?.manifest ?? []).flatMap(blobsOf);
  const missing = new Map(
    installed.filter(({ digest }) => !held.has(digest)).map(({ digest, size }) => [digest, size]),
  );
  const bytes = [...missing.values()].reduce((sum, size) => sum + size, 0);
  return { place: vault.path, bytes, space: await vault.space() };
}

function assertPlain({ as, sha256 }: PullWish): void {
  const given = as !== undefined ? '--as' : sha256 !== undefined ? '--sha256' : undefined;
  if (given === undefined) return;
  throw new AixclError(
    'usage',
    `${given} is for llama-server's models; Ollama's keep the name that they have`,
    {
      hint: 'aixcl models add NAME',
    },
  );
}

function itemFor(context: Context, ollama: Ollama, step: PullStep, reporter: AddReporter): AddItem {
  const target = targetOf(step);
  const comes = step.kind === 'add' || step.kind === 'update' ? step.missing : [];
  return {
    kind: step.kind,
    target,
    runtime: 'ollama',
    because: step.because,
    bytes: comes === null ? null : bytesOf(comes),
    question: step.kind === 'update' ? questionFor(target, step, comes) : null,
    apply: (operation) =>
      applyPull(step, portsFor(context, ollama, operation), { signal: context.signal, reporter }),
  };
}

function questionFor(target: string, { because }: PullStep, comes: readonly OllamaLayer[] | null): string {
  const size = comes ? ` (${bytes(bytesOf(comes))} to fetch)` : '';
  return `${target} is installed, and ${because}${size}. What is installed is saved first, and updated.`;
}

function bytesOf(layers: readonly OllamaLayer[]): number {
  return layers.reduce((sum, { size }) => sum + size, 0);
}

function portsFor(context: Context, { runtime, keeper, store }: Ollama, operation: Operation): PullPorts {
  const { signal } = context;
  return {
    runtime,
    keeper,
    save: (model) =>
      holdingVault(context, 'models add', operation, async (writer) => {
        // Ollama may have changed it while this waited for the lock; what is there now is what is saved.
        const now: KeptModel = (await keeper.find(model.subject.name)) ?? model;
        const wish = { keeper, model: now, operation, reason: 'updated by models add' };
        return await saveBeforeUpdate(context, writer, wish, async () => {});
      }),
    mend: (model, damaged) =>
      holdingVault(context, 'models add', operation, async (writer) => {
        const vault = vaultOf(context);
        for (const file of damaged) {
          await operation.step('set-aside', `${model.subject.name} ${file.path}`, file.why);
          await keeper.mend(model, file, { vault, writer, fetched: null, signal });
        }
      }),
    setAside: (cut) =>
      holdingVault(context, 'models add', operation, async (writer) => {
        const into = await store.write(operation.id, signal);
        try {
          for (const { digest, size } of cut) {
            const why = `it has ${size} bytes, and should have others`;
            await operation.step('set-aside', blobTitle(digest), why);
            await setAside({ store, into, writer }, digest, why);
          }
        } finally {
          await into[Symbol.asyncDispose]();
        }
      }),
  };
}
