import type { ActivationRequest, ServerState } from './activation.ts';
import type { ModelName } from './model-name.ts';

/** All that the models directory says about which model is active, read in one go. */
export interface Activation {
  readonly state: ServerState | undefined;
  readonly request: ActivationRequest | undefined;
  /** Model that `current.gguf` leads to; undefined when there is no link or it leads to none. */
  readonly linked: ModelName | undefined;
  /** Model that `.active_model` names; undefined when it names none. */
  readonly written: ModelName | undefined;
  /** What is wrong with link or file, for people. */
  readonly problems: readonly string[];
}

/** The model that llama-server serves or served last; before it ever ran, what link or file ask for. */
export function activeModel(activation: Activation): string | undefined {
  return activation.state?.active ?? activation.linked ?? activation.written;
}

/** The request that llama-server has not settled yet: not seen, or taken and cut short. */
export function pendingRequest(activation: Activation): ActivationRequest | undefined {
  const { request, state } = activation;
  if (!request || request.id === state?.superseded) return undefined;
  return request.id === state?.request && state.result !== 'pending' ? undefined : request;
}

export type ModelStanding = 'active' | 'asked' | 'loading' | null;

/** What `name` is to llama-server: being loaded goes over being asked for, that over being active. */
export function standingOf(name: string, activation: Activation): ModelStanding {
  const { state } = activation;
  const busy = state?.phase === 'loading' || state?.phase === 'switching';
  if (busy && state.model === name) return 'loading';
  if (pendingRequest(activation)?.name === name) return 'asked';
  return activeModel(activation) === name ? 'active' : null;
}
