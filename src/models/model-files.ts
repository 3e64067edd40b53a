import { isProjectorName, parseShardName } from './model-name.ts';

/**
 * Which of a model's files llama-server is given (docs/active-model.md): the first shard, else `model.gguf`, else the only file that is no
 * projector. `names` are plain file names.
 */
export function mainFileOf(
  names: readonly string[],
): { readonly main: string } | { readonly problem: string } {
  const weights = names.filter((name) => !isProjectorName(name));
  const first = weights.filter((name) => parseShardName(name)?.number === 1);
  if (first.length === 1) return { main: first[0]! };
  if (first.length > 1) return { problem: `it holds several models: ${first.join(', ')}` };
  if (weights.includes('model.gguf')) return { main: 'model.gguf' };
  const whole = weights.filter((name) => !parseShardName(name));
  if (whole.length === 1) return { main: whole[0]! };
  if (whole.length > 1) return { problem: `it holds several models and no model.gguf: ${whole.join(', ')}` };
  if (weights.length > 0) return { problem: 'its first shard is missing' };
  return names.length === 1 ? { main: names[0]! } : { problem: 'it holds projectors only' };
}

/** The shards that belong to `main`, itself included, in order; just itself for a model of one file. */
export function shardsOf(main: string, names: readonly string[]): { present: string[]; missing: number[] } {
  const shard = parseShardName(main);
  if (!shard) return { present: [main], missing: [] };
  const byNumber = new Map<number, string>();
  for (const name of names) {
    const other = parseShardName(name);
    if (other?.stem === shard.stem && other.count === shard.count) byNumber.set(other.number, name);
  }
  const missing: number[] = [];
  for (let number = 1; number <= shard.count && missing.length < 10; number++) {
    if (!byNumber.has(number)) missing.push(number);
  }
  const present = [...byNumber].sort(([a], [b]) => a - b).map(([, name]) => name);
  return { present, missing };
}
