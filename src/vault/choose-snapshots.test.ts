import { expect, test } from 'vitest';
import { chooseSnapshots } from './choose-snapshots.ts';
import type { Snapshot } from './snapshot.ts';
import type { VaultContents } from './vault.ts';

const tea = (id: string, day: number, damage: string | null = null) =>
  ({
    id,
    number: Number(id.slice(1)),
    subject: { runtime: 'llama-server', name: 'tea.gguf' },
    created: new Date(Date.UTC(2026, 0, day)),
    damage,
    facts: {},
  }) as Snapshot;

function choose(contents: Partial<VaultContents>, text: string): Snapshot[] {
  const wish = { text, means: ({ name }: { name: string }) => name === text };
  return chooseSnapshots({ snapshots: [], broken: [], ...contents }, [wish]);
}

test('a name means its newest snapshot that is not damaged', () => {
  const snapshots = [tea('b0003', 3, 'rot'), tea('b0001', 1), tea('b0002', 2)];
  expect(choose({ snapshots }, 'tea.gguf').map(({ id }) => id)).toEqual(['b0002']);
  expect(choose({ snapshots }, 'b0003').map(({ id }) => id)).toEqual(['b0003']);
});

test('what is not there is not there, while all can be read', () => {
  expect(() => choose({}, 'b0001')).toThrow(expect.objectContaining({ code: 'notFound' }));
  expect(() => choose({}, 'tea.gguf')).toThrow(expect.objectContaining({ code: 'notFound' }));
});

test('nobody says that something is not there while what says so can not be read', () => {
  const index = { broken: [{ name: 'index.json', why: 'it is no OCI image index' }] };
  for (const text of ['b0001', 'tea.gguf']) {
    expect(() => choose(index, text)).toThrow(
      expect.objectContaining({ code: 'verification', evidence: ['index.json: it is no OCI image index'] }),
    );
  }
  const record = { broken: [{ name: 'b0001', why: 'its manifest is damaged' }] };
  expect(() => choose(record, 'b0001')).toThrow("b0001 can't be read: its manifest is damaged");
});
