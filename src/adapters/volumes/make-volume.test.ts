import { expect, test } from 'vitest';
import type { StackDefinition } from '../../stack/definition/types.ts';
import { TestEngine } from '../../stack/test-engine.ts';
import { boundVolume, home, stack, volume } from '../../stack/test-stack.ts';
import { makeVolume } from './make-volume.ts';
import type { SavedVolumeOptions } from './saved-tree.ts';

const subject = { runtime: 'volume', name: 'ollama' } as const;
const plain: SavedVolumeOptions = { driver: 'local', options: {}, labels: { a: 'b' } };
const boundTo = (device: string): SavedVolumeOptions => ({
  ...plain,
  options: { type: 'none', o: 'bind', device },
});

async function made(
  recorded: SavedVolumeOptions | undefined,
  definition: StackDefinition = stack([]),
  name = 'ollama',
) {
  const engine = new TestEngine();
  const calls: unknown[] = [];
  engine.createVolume = async ({ name: called, driverOpts }, labels) => {
    calls.push({ called, options: Object.fromEntries(driverOpts), labels });
  };
  const folders: string[] = [];
  const world = { engine, definition, home, makeFolder: async (path: string) => void folders.push(path) };
  await makeVolume(world, name, subject, recorded);
  return { calls, folders };
}

test('one that the definition has is made by it, and its folder with it', async () => {
  const definition = stack([], { volumes: [boundVolume('ollama', `${home}/ollama`)] });
  const { calls, folders } = await made(plain, definition);
  expect(folders).toEqual([`${home}/ollama`]);
  expect(calls).toMatchObject([{ called: 'ollama', options: { device: `${home}/ollama` } }]);
});

test('one that is declared external, or that no definition has, is made as it was', async () => {
  const external = stack([], { volumes: [volume('ollama', { external: true })] });
  const as = [{ called: 'ollama', options: {}, labels: { a: 'b' } }];
  expect((await made(plain, external)).calls).toEqual(as);
  expect((await made(plain)).calls).toEqual(as);
  expect((await made(boundTo(`${home}/mine`))).folders).toEqual([`${home}/mine`]);
});

test.each([
  ['a folder of the machine', boundTo('/etc/cron.d')],
  ['a folder that only begins like the home', boundTo(`${home}/../.ssh`)],
  ['a device', { ...plain, options: { type: 'ext4', device: '/dev/sda1' } }],
  ['another driver', { ...plain, driver: 'plugin' }],
])('a record that leads to %s is not followed', async (_, recorded) => {
  await expect(made(recorded)).rejects.toMatchObject({ code: 'refused' });
});

test('under another name it is a volume of its own, and a name for no folder', async () => {
  const { calls, folders } = await made(boundTo(`${home}/ollama`), stack([]), 'copy');
  expect({ calls, folders }).toEqual({ calls: [{ called: 'copy', options: {}, labels: {} }], folders: [] });
});
