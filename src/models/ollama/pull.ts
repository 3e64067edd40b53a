import { AixclError } from '../../errors.ts';
import type { StepOutcome } from '../../plan/step.ts';
import type { Snapshot } from '../../vault/snapshot.ts';
import type { AddReporter } from '../add.ts';
import type { DamagedFile, Keeper, KeptModel } from '../keeper.ts';
import { quoted } from '../model-name.ts';
import { blobsOf, type OllamaLayer } from './manifest.ts';
import { type OllamaName, sameName, shownName } from './name.ts';
import type { ObservedPull, Pull, PullStep } from './plan-pull.ts';
import { PullProgress } from './pull-progress.ts';
import type { Registry } from './registry.ts';
import type { OllamaRuntime } from './runtime.ts';
import type { OllamaStore } from './store.ts';

export interface PullPorts {
  readonly runtime: Pick<OllamaRuntime, 'pull'>;
  readonly keeper: Pick<Keeper, 'find' | 'verify'>;
  /** Saves what is installed as `pre_update`, under the vault's lock; throws when it can't be. */
  save(model: KeptModel): Promise<Snapshot>;
  /** Brings damaged files of an installed model into quarantine, under the vault's lock; puts right bytes in their place where the vault has them. */
  mend(model: KeptModel, damaged: readonly DamagedFile[]): Promise<void>;
  /** Brings blobs that are not whole into quarantine, under the vault's lock. */
  setAside(cut: readonly OllamaLayer[]): Promise<void>;
}

interface PullOptions {
  readonly signal: AbortSignal;
  readonly reporter: AddReporter;
}

/** What a name would bring. Reads, changes nothing; throws `notFound` when its registry says that it has none. */
export async function observePull(
  name: OllamaName,
  ports: { readonly store: Pick<OllamaStore, 'manifests' | 'blobs'>; readonly registry: Registry },
  { insecure, signal }: { readonly insecure: boolean; readonly signal: AbortSignal },
): Promise<ObservedPull> {
  const [remote, manifests] = await Promise.all([
    ports.registry.look(name, { signal, insecure }),
    ports.store.manifests(),
  ]);
  if (remote.kind === 'absent') {
    throw new AixclError('notFound', remote.why, {
      hint: name.host === 'registry.ollama.ai' ? 'https://ollama.com/search' : 'Check the name.',
    });
  }
  const wanted = remote.kind === 'found' ? blobsOf(remote.manifest) : [];
  const blobs = await ports.store.blobs(wanted.map(({ digest }) => digest));
  const installed = manifests.find((each) => sameName(each.name, name));
  const unreadable = manifests.filter((each) => each !== installed && each.manifest === null);
  return {
    name,
    remote,
    insecure,
    installed,
    blobs,
    unreadable: unreadable.map((each) => shownName(each.name)),
  };
}

/** Carries out one step; throws the AixclError that is its outcome when it fails. */
export async function applyPull(
  step: PullStep,
  ports: PullPorts,
  options: PullOptions,
): Promise<StepOutcome> {
  const target = shownName(step.name);
  if (step.kind === 'keep') return await keep(target, step, ports, options);
  if (step.kind === 'refuse') {
    throw new AixclError('refused', `${target} is not updated: ${step.because}`, { hint: step.hint });
  }
  const saved = step.kind === 'update' ? await saveStanding(target, ports) : undefined;
  if (step.cut.length > 0) await ports.setAside(step.cut);
  await pullSound(target, step, ports, options);
  const because = saved ? `${step.because}; the one before is kept as ${saved.id}` : step.because;
  return { kind: step.kind, target, outcome: 'done', because };
}

/** Installed, by its names. Bytes that were not hashed before, or changed since, are now; damaged ones are pulled again. */
async function keep(
  target: string,
  step: PullStep & { kind: 'keep' },
  ports: PullPorts,
  options: PullOptions,
): Promise<StepOutcome> {
  const kept = { kind: 'keep', target, outcome: 'kept', because: step.because } as const;
  if (step.proven) return kept;
  const { model, damaged } = await check(target, ports, options);
  if (damaged.length === 0) return kept;
  await ports.mend(model, damaged);
  const left = await check(target, ports, options);
  if (left.damaged.length > 0) await pullSound(target, { ...step, missing: null }, ports, options);
  const what = damaged.length === 1 ? 'a damaged blob was' : `${damaged.length} damaged blobs were`;
  return { kind: 'add', target, outcome: 'done', because: `${what} set aside and replaced` };
}

async function saveStanding(name: string, { keeper, save }: PullPorts): Promise<Snapshot | undefined> {
  // Gone since it was observed: nothing is written over.
  const model = await keeper.find(name);
  return model && (await save(model));
}

/** Pulls, re-hashes, and pulls a second time what came damaged. */
async function pullSound(name: string, pull: Pull, ports: PullPorts, options: PullOptions): Promise<void> {
  let missing = pull.missing;
  for (const last of [false, true]) {
    await pullOnce(name, { ...pull, missing }, ports, options);
    const { model, damaged } = await check(name, ports, options);
    if (damaged.length === 0) return;
    await ports.mend(model, damaged);
    const mended = await check(name, ports, options);
    if (mended.damaged.length === 0) return;
    if (last) throw stillDamaged(name, damaged);
    missing = mended.damaged.flatMap(({ digest }) => {
      const layer = pull.missing?.find((each) => each.digest === digest);
      return layer ? [layer] : [];
    });
  }
}

async function pullOnce(
  name: string,
  { insecure, missing }: Pull,
  { runtime }: PullPorts,
  { signal, reporter }: PullOptions,
): Promise<void> {
  const progress = new PullProgress(missing);
  const task = reporter.begin(`Pulling ${quoted(name)}`, progress.total);
  let ok = false;
  try {
    for await (const line of runtime.pull(name, { insecure, signal })) {
      progress.add(line);
      task.update(progress.done, progress.total);
    }
    signal.throwIfAborted();
    ok = true;
  } finally {
    task.end(ok);
  }
}

async function check(
  name: string,
  { keeper }: PullPorts,
  { signal, reporter }: PullOptions,
): Promise<{ model: KeptModel; damaged: readonly DamagedFile[] }> {
  const model = await keeper.find(name);
  if (!model) {
    throw new AixclError('unexpected', `Ollama says that it pulled ${quoted(name)}, and does not have it`, {
      hint: 'aixcl models list',
    });
  }
  const task = reporter.begin(`Checking ${quoted(name)}`, model.size);
  let ok = false;
  try {
    const onProgress = (done: number) => task.update(done);
    const damaged = await keeper.verify(model, { signal, onProgress });
    ok = damaged.length === 0;
    return { model, damaged };
  } finally {
    task.end(ok);
  }
}

function stillDamaged(name: string, damaged: readonly DamagedFile[]): AixclError {
  return new AixclError(
    'verification',
    `${quoted(name)} came damaged twice, and what is wrong was set aside: ${damaged.map(({ path }) => path).join(', ')}`,
    {
      hint: `aixcl models verify --repair ${name}`,
      evidence: damaged.map(({ path, why }) => `${path}: ${why}`),
    },
  );
}
