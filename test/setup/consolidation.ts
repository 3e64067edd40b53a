/** A base and an adapter of it, for what merges them. */
import { cp, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Content, contentOf, type SavedSnapshot, savedIn } from '../faults/lab/oracle.ts';
import { type Aixcl, aixcl } from './aixcl.ts';
import { type HomeWish, makeHome, type TestHome } from './home.ts';
import { llamaBase, loraAdapter, smallLlama, write } from './lora-model.ts';

export const baseName = 'base.gguf';
export const outputName = 'tuned.gguf';

export interface ConsolidationHome extends TestHome {
  readonly vault: string;
  /** The adapter's directory: outside the models. */
  readonly adapter: string;
  readonly output: string;
  /** As they are before anything is merged. */
  readonly was: { readonly base: Content; readonly adapter: Content };
  /** `consolidate`, agreed to. */
  run(...more: string[]): Promise<Aixcl>;
  args(...more: string[]): string[];
  /** Brings all back to where nothing was merged. */
  again(): Promise<void>;
  /** Puts the adapter back where it lay, whatever lies there. */
  newAdapter(): Promise<void>;
  /** Snapshots of the vault, as anybody reads them. */
  saved(): Promise<readonly SavedSnapshot[]>;
  /** Kinds of the steps that the journal has of its last operation. */
  steps(): Promise<readonly string[]>;
}

export interface ConsolidationWish extends HomeWish {
  readonly type?: 'F32' | 'F16' | 'BF16';
  readonly env?: Readonly<Record<string, string>>;
  /** Made otherwise than as a small llama. */
  readonly base?: (path: string) => Promise<unknown>;
  readonly models?: string;
}

export async function consolidationHome(wish: ConsolidationWish = {}): Promise<ConsolidationHome> {
  const made = await makeHome(wish);
  const home: TestHome = { ...made, env: { ...made.env, ...wish.env }, models: wish.models ?? made.models };
  const { root, models } = home;
  const source = join(root, 'source');
  const adapter = join(root, 'train', 'lora');
  const output = join(models, outputName);
  const llama = { ...smallLlama, type: wish.type ?? 'F16' } as const;
  for (const folder of [source, join(source, 'lora'), models]) await mkdir(folder, { recursive: true });
  if (wish.base) await wish.base(join(source, baseName));
  else await write(llamaBase(llama), join(source, baseName));
  const lora = loraAdapter(llama, { type: 'F16', rank: 8, alpha: 16 });
  await write(lora, join(source, 'lora', 'adapter.gguf'));
  const vault = join(root, 'vault');
  const newAdapter = async () => {
    await rm(adapter, { recursive: true, force: true });
    await cp(join(source, 'lora'), adapter, { recursive: true });
  };
  const again = async () => {
    for (const path of [output, vault, join(models, '.aixcl')])
      await rm(path, { recursive: true, force: true });
    await cp(join(source, baseName), join(models, baseName));
    await newAdapter();
  };
  await again();
  const args = (...more: string[]) => [
    ...['consolidate', '--base', baseName, '--adapter', adapter, '--output', outputName],
    ...['--description', 'rank 8', '--yes', ...more],
  ];
  return {
    ...home,
    vault,
    adapter,
    output,
    was: {
      base: (await contentOf(join(models, baseName)))!,
      adapter: (await contentOf(adapter))!,
    },
    args,
    run: (...more) => aixcl(args(...more), { home }),
    again,
    newAdapter,
    saved: () => savedIn(vault),
    steps: () => lastSteps(root),
  };
}

async function lastSteps(root: string): Promise<string[]> {
  const month = new Date().toISOString().slice(0, 7);
  const text = await readFile(join(root, 'journal', `${month}.jsonl`), 'utf8').catch(() => '');
  const entries = text
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as { operation: string; event: string; kind?: string });
  const last = entries.at(-1)?.operation;
  return entries
    .filter(({ operation, event }) => operation === last && event === 'step')
    .map(({ kind }) => kind!);
}
