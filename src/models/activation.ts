import { isModelName, type ModelName, nameProblem } from './model-name.ts';

/**
 * The two files by which a model becomes the active one. Command line and page write the request and await the state; only
 * llama-server's entrypoint writes the state, the link `current.gguf` and `.active_model`. Both are lines of `key: value`.
 */

/** `.aixcl/request`; the entrypoint renames it to `request.taken` and removes that once the outcome stands in the state. */
export interface ActivationRequest {
  readonly id: string;
  readonly name: ModelName;
  readonly by: 'cli' | 'page';
  /** ISO 8601, UTC. */
  readonly time: string;
}

/** `.aixcl/state`; undefined where the entrypoint has said nothing. */
export interface ServerState {
  readonly phase: 'waiting' | 'loading' | 'switching' | 'ready' | 'failed' | undefined;
  /** The model that llama-server serves, or served when it was stopped. */
  readonly active: string | undefined;
  readonly lastGood: string | undefined;
  /** The model that is being loaded. */
  readonly model: string | undefined;
  /** The model of the last wish, by request or by hand; undefined where it named none. */
  readonly want: string | undefined;
  /** Id of the last request that was taken; undefined when the last wish came from a hand. */
  readonly request: string | undefined;
  /** Id of the request that a newer wish replaced before it was settled. */
  readonly superseded: string | undefined;
  readonly result: 'pending' | 'applied' | 'reverted' | 'refused' | undefined;
  readonly reason: string | undefined;
  readonly time: string | undefined;
  /** What link and `.active_model` said when they were last obeyed. */
  readonly appliedLink: string | undefined;
  readonly appliedFile: string | undefined;
  /** llama-server's own last lines of a failed attempt. */
  readonly log: readonly string[];
}

const phases = ['waiting', 'loading', 'switching', 'ready', 'failed'] as const;
const results = ['pending', 'applied', 'reverted', 'refused'] as const;

export function formatRequest(request: ActivationRequest): string {
  return `id: ${request.id}\nname: ${request.name}\nby: ${request.by}\ntime: ${request.time}\n`;
}

/** Undefined for a file that is no request: no id, or a name that could be no model's. */
export function parseRequest(text: string): ActivationRequest | undefined {
  const { single } = parseLines(text);
  const id = single.get('id');
  const name = single.get('name');
  if (!id || name === undefined || !isModelName(name)) return undefined;
  return { id, name, by: single.get('by') === 'page' ? 'page' : 'cli', time: single.get('time') ?? '' };
}

/** Unknown keys are passed over, unknown values of phase and result read as undefined. */
export function parseState(text: string): ServerState {
  const { single, log } = parseLines(text);
  const value = (key: string) => single.get(key) || undefined;
  return {
    phase: phases.find((phase) => phase === value('phase')),
    active: value('active'),
    lastGood: value('last_good'),
    model: value('model'),
    want: value('want'),
    request: value('request'),
    superseded: value('superseded'),
    result: results.find((result) => result === value('result')),
    reason: value('reason'),
    time: value('time'),
    appliedLink: value('applied_link'),
    appliedFile: value('applied_file'),
    log,
  };
}

/** A value is all that follows the first `: `, kept as it is; of a key that comes twice the last counts. */
function parseLines(text: string): { single: Map<string, string>; log: string[] } {
  const single = new Map<string, string>();
  const log: string[] = [];
  for (const line of text.split('\n')) {
    const match = /^([a-z_]+):(?: (.*))?$/s.exec(line);
    if (!match) continue;
    const [, key, value = ''] = match;
    if (key === 'log') log.push(value);
    else single.set(key!, value);
  }
  return { single, log };
}

/** `.active_model` by its bytes: one line with a plain name, or why not. Undefined when the file is empty or not there. */
export function parseActiveFile(
  text: string | undefined,
): { readonly name: ModelName } | { readonly problem: string } | undefined {
  if (text === undefined || text === '') return undefined;
  const line = text.endsWith('\n') ? text.slice(0, -1) : text;
  if (line.startsWith('\uFEFF')) return { problem: 'it begins with a byte order mark' };
  if (line.includes('\r')) return { problem: 'it has Windows line ends' };
  if (line.includes('\n')) return { problem: 'it has more than one line' };
  const problem = nameProblem(line);
  return problem ? { problem } : { name: line as ModelName };
}
