import { AixclError } from '../errors.ts';
import type { Note } from '../plan/journal.ts';
import { shellWord } from '../shell-word.ts';
import type { ActivationRequest, ServerState } from './activation.ts';
import { activeModel, pendingRequest } from './active-model.ts';
import type { Model } from './model.ts';
import { type ModelName, quoted } from './model-name.ts';
import type { ModelsDirectory } from './models-directory.ts';

export interface ActivationPorts {
  /** Who asks, as the request says it. */
  readonly by: ActivationRequest['by'];
  readonly directory: ModelsDirectory;
  /** Whether llama-server's container runs. Throws `engineUnreachable` when that can't be known. */
  serverRunning(): Promise<boolean>;
  /** Called before a model is asked for. */
  readonly note: Note;
  newRequestId(): string;
  now(): Date;
  /** Resolves after so many milliseconds; rejects with the signal's reason when that is aborted. */
  sleep(milliseconds: number): Promise<void>;
}

interface ActivationOptions {
  readonly signal: AbortSignal;
  /** Ask also when the model is active already, as its arguments changed. */
  readonly again?: boolean;
  /** Told of every change of the state while it is awaited. */
  readonly onState?: (state: ServerState) => void;
}

/** `applied`: it serves. `recorded`: asked for, and proven when llama-server starts. `unchanged`: it was active and served already. */
export type ActivationOutcome = 'applied' | 'recorded' | 'unchanged';

/**
 * Makes `model` the one that llama-server serves, and waits for llama-server's word on it: as long as it takes while it loads. Throws
 * `unhealthy` with llama-server's last lines when it went back to the model before, `notRunning` when its container stopped meanwhile.
 */
export async function activate(
  model: Model,
  ports: ActivationPorts,
  options: ActivationOptions,
): Promise<ActivationOutcome> {
  assertServable(model);
  const running = await ports.serverRunning();
  if (!options.again && (await servesAlready(model.name, ports.directory))) return 'unchanged';
  const id = ports.newRequestId();
  await ports.note('activate', model.name, options.again ? 'its arguments changed' : 'asked for');
  await ports.directory.writeRequest({ id, name: model.name, by: ports.by, time: ports.now().toISOString() });
  if (!running) return 'recorded';
  await settled(id, model.name, ports, options);
  return 'applied';
}

/** Throws when llama-server could not serve `model` whatever it is asked: damaged, or not a model by itself. */
export function assertServable(model: Model): void {
  const name = quoted(model.name);
  if (model.damage !== null) {
    throw new AixclError('verification', `${name} is damaged: ${model.damage}`, {
      hint: `aixcl models show ${shellWord(model.name)}`,
    });
  }
  const role = model.summary?.role;
  if (role === 'model' || role === 'embedding') return;
  const what =
    role === 'projector'
      ? 'an image or audio encoder (mmproj)'
      : role === 'adapter'
        ? 'an adapter'
        : 'no model';
  throw new AixclError('refused', `${name} is ${what}, which llama-server can't serve by itself`, {
    hint: role === 'projector' ? 'aixcl models set MODEL --mmproj FILE' : 'aixcl models list',
  });
}

async function servesAlready(name: ModelName, directory: ModelsDirectory): Promise<boolean> {
  const activation = await directory.activation();
  if (activation.state?.phase !== 'ready' || pendingRequest(activation)) return false;
  // A hand that edited link or state file has another wish, which may not have been seen yet.
  return [activeModel(activation), activation.linked, activation.written].every((each) => each === name);
}

/** How often the state is looked at, in milliseconds. */
const pollInterval = 150;
/** How long a running llama-server may leave a request lying, in milliseconds: its entrypoint looks several times a second. */
const takingLimit = 60_000;
/** How often the engine is asked whether the container still runs, in milliseconds. */
const aliveInterval = 2_000;

async function settled(
  id: string,
  name: ModelName,
  ports: ActivationPorts,
  options: ActivationOptions,
): Promise<void> {
  const asked = ports.now().getTime();
  let checked = asked;
  let missed = 0;
  let shown = '';
  for (;;) {
    options.signal.throwIfAborted();
    const { state, request } = await ports.directory.activation();
    const taken = state?.request === id;
    if (state && taken) {
      const view = `${state.phase} ${state.model} ${state.result}`;
      if (view !== shown) options.onState?.(state);
      shown = view;
      if (isSettled(state)) return assertApplied(state, name);
    } else if (state?.superseded === id || (request && request.id !== id)) {
      throw new AixclError(
        'refused',
        `${quoted(name)} was not activated: another model was asked for meanwhile`,
        {
          hint: 'aixcl models list',
        },
      );
    }
    const now = ports.now().getTime();
    if (now - checked >= aliveInterval) {
      checked = now;
      // Twice, as a container that is being restarted is down for a moment.
      missed = (await ports.serverRunning()) ? 0 : missed + 1;
      if (missed > 1) throw stopped(name);
    }
    if (!taken && now - asked > takingLimit) {
      throw new AixclError(
        'unhealthy',
        `llama-server runs and did not take up the request for ${quoted(name)} within ${takingLimit / 1000} s`,
        { hint: 'aixcl service logs llama-server' },
      );
    }
    await ports.sleep(pollInterval);
  }
}

function isSettled(state: ServerState): boolean {
  if (state.result === 'pending' || state.result === undefined) return false;
  return state.phase === 'ready' || state.phase === 'failed' || state.phase === 'waiting';
}

function assertApplied(state: ServerState, name: ModelName): void {
  if (state.phase === 'ready' && state.result === 'applied' && state.active === name) return;
  const reason = state.reason ? `: ${state.reason}` : '';
  if (state.result === 'refused') {
    throw new AixclError('refused', `llama-server refused ${quoted(name)}${reason}`, {
      hint: `aixcl models show ${shellWord(name)}`,
      evidence: state.log,
    });
  }
  const before =
    state.phase === 'ready' && state.active
      ? ` ${quoted(state.active)} serves as before.`
      : ' No model is being served now.';
  throw new AixclError('unhealthy', `${quoted(name)} did not come up${reason}.${before}`, {
    hint: 'aixcl service logs llama-server',
    evidence: state.log,
  });
}

function stopped(name: ModelName): AixclError {
  return new AixclError(
    'notRunning',
    `llama-server stopped while ${quoted(name)} was being activated. It will be tried at the next start`,
    { hint: 'aixcl service start llama-server' },
  );
}
