import { expect, test } from 'vitest';
import { chooseBuild, type HubFile } from './hub.ts';

function repository(...paths: string[]): HubFile[] {
  return paths.map((path) => ({ path, size: 1, sha256: null }));
}

function chosen(files: readonly HubFile[], choice: string | null): string {
  const { name, folder, files: all } = chooseBuild('u/r', files, choice);
  return `${name}${folder ? '/' : ''}: ${all.map(({ path }) => path).join(' ')}`;
}

const plain = repository('README.md', 'a-Q4_K_M.gguf', 'a-Q8_0.gguf', 'a.IQ2_XXS.gguf');

test('a quantization is chosen without regard to case, and one file stays one file', () => {
  expect(chosen(plain, 'Q4_K_M')).toBe('a-Q4_K_M.gguf: a-Q4_K_M.gguf');
  expect(chosen(plain, 'q8_0')).toBe('a-Q8_0.gguf: a-Q8_0.gguf');
  expect(chosen(plain, 'iq2_xxs')).toBe('a.IQ2_XXS.gguf: a.IQ2_XXS.gguf');
  expect(chosen(plain, 'a-Q8_0.gguf')).toBe('a-Q8_0.gguf: a-Q8_0.gguf');
});

test('a part of a quantization is not the quantization', () => {
  for (const choice of ['Q4', 'K_M', 'Q4_K', '_0', 'a']) {
    expect(() => chosen(plain, choice), choice).toThrow(/There are: IQ2_XXS, Q4_K_M, Q8_0/);
  }
});

test('without a choice there must be but one', () => {
  expect(() => chosen(plain, null)).toThrow(expect.objectContaining({ code: 'usage' }));
  expect(() => chosen(plain, null)).toThrow(/There are: IQ2_XXS, Q4_K_M, Q8_0/);
  expect(chosen(repository('only.gguf', 'x.bin'), null)).toBe('only.gguf: only.gguf');
  expect(() => chosen(repository('x.safetensors'), null)).toThrow(/holds no GGUF/);
});

test('all shards come, into a folder, and one that is missing is named', () => {
  const shards = [1, 2, 3].map((n) => `Q6_K/big-Q6_K-0000${n}-of-00003.gguf`);
  expect(chosen(repository(...shards, 'big-Q2_K.gguf'), 'Q6_K')).toBe(`big-Q6_K/: ${shards.join(' ')}`);
  expect(() => chosen(repository(shards[0]!, shards[2]!), 'Q6_K')).toThrow(/00002-of-00003/);
});

test('a folder may name the quantization', () => {
  expect(chosen(repository('BF16/big-00001-of-00001.gguf', 'UD-Q4_K_XL/big.gguf'), 'bf16')).toBe(
    'big.gguf: BF16/big-00001-of-00001.gguf',
  );
});

test('a projector comes along: of the same quantization, else F16', () => {
  const files = repository('v-Q4_K_M.gguf', 'v-F16.gguf', 'mmproj-v-F32.gguf', 'mmproj-v-F16.gguf');
  expect(chosen(files, 'Q4_K_M')).toBe('v-Q4_K_M/: v-Q4_K_M.gguf mmproj-v-F16.gguf');
  const own = repository('v-Q8_0.gguf', 'mmproj-v-F16.gguf', 'mmproj-v-Q8_0.gguf');
  expect(chosen(own, 'Q8_0')).toBe('v-Q8_0/: v-Q8_0.gguf mmproj-v-Q8_0.gguf');
});

test('two models of one quantization are told apart by file name only', () => {
  const two = repository('chat-Q4_0.gguf', 'code-Q4_0.gguf');
  expect(() => chosen(two, 'Q4_0')).toThrow(/several models .*chat-Q4_0.gguf, code-Q4_0.gguf/);
  expect(chosen(two, 'code-Q4_0')).toBe('code-Q4_0.gguf: code-Q4_0.gguf');
});
