import { expect, test } from 'vitest';
import { chooseSnapshots } from '../../../vault/choose-snapshots.ts';
import type { Snapshot } from '../../../vault/snapshot.ts';
import { wishFor } from './name-wish.ts';

const first = {
  id: 'tea.gguf@v001',
  kind: 'version',
  number: 1,
  subject: { runtime: 'llama-server', name: 'tea.gguf' },
  created: new Date(0),
  damage: null,
  facts: {},
} as unknown as Snapshot;

const choose = (text: string) => chooseSnapshots({ snapshots: [first], broken: [] }, [wishFor(text)]);

test('a version is chosen by its id, or as the latest', () => {
  expect(choose('tea.gguf@v001')).toEqual([first]);
  expect(choose('tea.gguf@latest')).toEqual([first]);
});

test.each(['v1', 'v', 'v0011', 'V001', 'v001 ', '', 'LATEST', 'v002'])(
  'tea.gguf@%s is no such version, and no model that could be backed up',
  (number) => {
    expect(() => choose(`tea.gguf@${number}`)).toThrow(
      expect.objectContaining({
        code: 'notFound',
        message: `no such version: ${JSON.stringify(`tea.gguf@${number}`)}`,
        hint: expect.stringContaining('tea.gguf has v001'),
      }),
    );
  },
);
