/** A base and an adapter of it, for what merges them. */
import { cp, mkdir, readFile, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Content, contentOf, type SavedSnapshot, savedIn } from '../faults/lab/oracle.ts';
import {
  type Aixcl,
  aixcl,
  docker,
  type HomeWish,
  llamaImage,
  makeHome,
  type TestHome,
  testLabel,
} from './engine-test.ts';
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

/** The runtime's own, on the private engine: quantizes, and turns what is quantized into something else. */
export async function llamaQuantize(input: string, output: string, type: string): Promise<void> {
  const folders = ['--volume', `${dirname(input)}:/in:ro`, '--volume', `${dirname(output)}:/out`];
  const { code, stdout, stderr } = await docker([
    ...['run', '--rm', '--network', 'none', '--label', testLabel(), ...folders],
    ...['--entrypoint', 'llama-quantize', llamaImage(), '--allow-requantize'],
    ...[`/in/${basename(input)}`, `/out/${basename(output)}`, type],
  ]);
  if (code !== 0) throw new Error(`llama-quantize ended with ${code}: ${stdout}${stderr}`);
}
