import { expect, test } from 'vitest';
import { type ObservedConsolidation, planConsolidation } from '../../../consolidate/plan-consolidation.ts';
import { parseModelName } from '../../../models/model-name.ts';
import { consolidationText, plannedSteps } from './plan-text.ts';

const GB = 1e9;
const observed: ObservedConsolidation = {
  base: {
    subject: { runtime: 'llama-server', name: 'tea.gguf' },
    size: 2 * GB,
    copied: 2 * GB,
    quantization: 'F16',
    weights: GB,
  },
  adapter: { subject: { runtime: 'directory', name: '/train/lora' }, size: 12e6, copied: 12e6 },
  records: { training: 2, evolution: 1, evolutionBytes: 1000 },
  output: parseModelName('tuned.gguf'),
  made: null,
  dequantized: null,
  merge: {
    kind: 'built-in',
    merged: 21,
    converted: 0,
    copied: 9,
    ignored: [],
    alpha: 16,
    rank: 8,
    scale: 2,
    scaleBecause: 'adapter_config.json says nothing of rsLoRA',
    type: 'F16',
    bytes: 2 * GB,
    threads: 2,
    memory: 96e6,
  },
  quantize: null,
  images: { server: 'llama:b1', quantizer: null },
  removeAdapter: false,
  models: { path: '/home/models', space: { free: 50 * GB, total: 100 * GB } },
  vault: { path: '/home/vault', space: { free: 50 * GB, total: 100 * GB } },
  sameDisk: true,
};

function text(change: Partial<ObservedConsolidation> = {}): string {
  return consolidationText(planConsolidation({ ...observed, ...change }));
}

test('all is said before it is done: what is saved, made, checked, published and kept, and what it takes', () => {
  expect(text()).toBe(`back up tea.gguf (2 GB): the vault copies it
back up /train/lora (12 MB): the vault copies it
verify both backups: each byte is hashed where it lies in the vault
version /train/lora (12 MB), 2 files of training data recorded, 1 file of its run kept: what was merged has a number
merge into tuned.gguf: 21 tensors change, 9 are carried over; F16, 2 GB; 2 threads, 96 MB of memory
  scale 2: alpha 16, rank 8, adapter_config.json says nothing of rsLoRA
check tuned.gguf before it has its name: built as the base is, loads and answers in llama-server of llama:b1
version tuned.gguf (2 GB), 2 files of training data recorded, 1 file of its run kept: what came of it has a number
publish tuned.gguf in /home/models: last, and only where the name is free
keep tea.gguf: a merge only reads it
keep /train/lora: it goes only with --remove-adapter
space: 6.01 GB at the most on the disk of /home/models and /home/vault, which has 50 GB free`);
});

test('a quantized base is turned into F16 first, and the plan says how to get it small again', () => {
  const quantized = {
    base: { ...observed.base, size: GB, copied: 0, quantization: 'Q8_0' },
    dequantized: 2 * GB,
    images: { server: 'llama:b1', quantizer: 'llama:full' },
  };
  const lines = text(quantized).split('\n');
  expect(lines).toContain('back up tea.gguf (1 GB): the vault has it already');
  expect(lines).toContain(
    'turn tea.gguf into F16 (2 GB) by llama-quantize of llama:full: nothing can be added to weights in Q8_0',
  );
  expect(lines).toContain('  it stays in 16 bits, 2 GB; --quantize TYPE makes it small again');
  const small = text({ ...quantized, quantize: { type: 'Q4_K_M', bytes: 600e6 } });
  expect(small).toContain('quantize to Q4_K_M (about 600 MB) by llama-quantize of llama:full: asked for');
  expect(small).not.toContain('makes it small again');
  expect(small).toContain('version tuned.gguf (600 MB)');
});

test("the user's own command is shown, without control characters, and nothing is said that only it knows", () => {
  const merge = { kind: 'command', command: 'python3 merge.py\n --all' } as const;
  expect(text({ merge })).toContain('merge into tuned.gguf: by your command: python3 merge.py  --all');
});

test('the adapter goes last, where that is asked for', () => {
  const steps = plannedSteps(planConsolidation({ ...observed, removeAdapter: true }));
  expect(steps.at(-1)).toMatchObject({
    kind: 'remove',
    target: '/train/lora',
    outcome: 'planned',
    because: 'asked for; last, once its backup is verified again',
  });
  expect(steps.filter(({ outcome }) => outcome === 'kept').map(({ target }) => target)).toEqual(['tea.gguf']);
});

test('what an earlier run made of the same is kept, and takes nothing', () => {
  expect(
    text({ made: 'tuned.gguf@v001' }),
  ).toBe(`keep tuned.gguf: it is there as tuned.gguf@v001, made of the same base and adapter in the same way
keep tea.gguf: a merge only reads it
keep /train/lora: it goes only with --remove-adapter`);
});

test('space is that of the fullest moment, on each disk, as what is staged goes again', () => {
  const rooms = (change: Partial<ObservedConsolidation>) =>
    planConsolidation({ ...observed, ...change }).rooms.map(({ needed, places }) => [places.join(), needed]);
  const quantized = { dequantized: 2 * GB, quantize: { type: 'Q4_0', bytes: 0.5 * GB } };
  const saved = 2 * GB + 12e6 + 1000;
  expect(rooms(quantized)).toEqual([['/home/models,/home/vault', 4 * GB + saved]]);
  expect(rooms({ ...quantized, sameDisk: false })).toEqual([
    ['/home/models', 4 * GB],
    ['/home/vault', saved + 0.5 * GB],
  ]);
});
