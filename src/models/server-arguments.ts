import { AixclError } from '../errors.ts';
import { quoted } from './model-name.ts';

/**
 * llama-server's own arguments for one model, as they stand one a line in `.aixcl/args/MODEL`. Names and spellings are those of
 * `llama-server --help`.
 */
export interface ArgumentChange {
  /** Start from no arguments instead of those that are stored. */
  readonly clear: boolean;
  readonly ctxSize?: number | undefined;
  readonly gpuLayers?: number | undefined;
  /** File name relative to the models directory. */
  readonly mmproj?: string | undefined;
  readonly embedding?: boolean | undefined;
  /** What stood after `--`. */
  readonly rest: readonly string[];
}

/** `stored` with the change applied: an option that is given again replaces the one that is stored, whichever way either is spelled. */
export function changeArguments(stored: readonly string[], change: ArgumentChange): string[] {
  const added: string[] = [];
  if (change.ctxSize !== undefined) added.push('--ctx-size', String(change.ctxSize));
  if (change.gpuLayers !== undefined) added.push('--gpu-layers', String(change.gpuLayers));
  if (change.mmproj !== undefined) added.push('--mmproj', change.mmproj);
  if (change.embedding) added.push('--embedding');
  added.push(...change.rest);
  assertAllowed(added);

  const options = groups(change.clear ? [] : stored);
  const replaced = new Set(groups(added).map(([option]) => canonical(option!)));
  if (change.embedding === false) replaced.add('--embedding');
  return [...options.filter(([option]) => !replaced.has(canonical(option!))), ...groups(added)].flat();
}

/** Option by option, each with the values after it. A negative number is a value. */
function groups(args: readonly string[]): string[][] {
  const all: string[][] = [];
  for (const argument of args) {
    const last = all.at(-1);
    if (last && !/^-(?!\d)/.test(argument)) last.push(argument);
    else all.push([argument]);
  }
  return all;
}

const aliases: Readonly<Record<string, string>> = {
  '-c': '--ctx-size',
  '-ngl': '--gpu-layers',
  '--n-gpu-layers': '--gpu-layers',
  '-mm': '--mmproj',
  '--embeddings': '--embedding',
};

/** Options with which llama-server would serve something else, or elsewhere, than aixcl says and checks. */
const owned: ReadonlyMap<string, string> = new Map([
  ...['-m', '--model', '-mu', '--model-url', '-dr', '--docker-repo'].map(
    (key) => [key, 'the model'] as const,
  ),
  ...['-hf', '-hfr', '--hf-repo', '-hff', '--hf-file'].map((key) => [key, 'the model'] as const),
  ...['--models-dir', '--models-preset', '--models-max'].map((key) => [key, 'the model'] as const),
  ...['-a', '--alias'].map((key) => [key, 'the name it is served under'] as const),
  ...['--host', '--port', '--reuse-port', '--api-prefix'].map((key) => [key, 'the address'] as const),
  ...['--ssl-key-file', '--ssl-cert-file'].map((key) => [key, 'the address'] as const),
  ...['-h', '--help', '--usage', '--version', '--license'].map((key) => [key, 'whether it serves'] as const),
]);

function assertAllowed(args: readonly string[]): void {
  for (const argument of args) {
    const option = argument.split('=', 1)[0]!;
    const what = owned.get(option);
    if (what) {
      throw new AixclError('usage', `${option} can't be set for a model: aixcl decides ${what}`, {
        hint: 'aixcl models activate MODEL',
      });
    }
    if (argument === '') throw new AixclError('usage', "An empty argument can't be kept for a model");
    if (/[\p{Cc}]/u.test(argument)) {
      throw new AixclError('usage', `The argument ${quoted(argument)} holds a control character`);
    }
  }
  if (args[0] !== undefined && !args[0].startsWith('-')) {
    throw new AixclError('usage', `${quoted(args[0])} is not an option of llama-server`, {
      hint: 'aixcl models set MODEL -- --threads 4',
    });
  }
}

function canonical(option: string): string {
  return aliases[option] ?? option;
}
