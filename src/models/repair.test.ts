import { expect, test } from 'vitest';
import { AixclError } from '../errors.ts';
import { digestOf } from '../vault/digest.ts';
import type { SourceFile } from '../vault/subject.ts';
import type { Vault, VaultWriter } from '../vault/vault.ts';
import type { Found } from './find-kept.ts';
import type { DamagedFile, Keeper, KeptModel, MendOptions } from './keeper.ts';
import { type RepairPorts, repairModel } from './repair.ts';

const signal = new AbortController().signal;
const damagedBlob = (letter: string): DamagedFile => ({
  path: `blobs/${letter}`,
  digest: digestOf(letter.repeat(64)),
  why: 'other bytes',
});

interface World {
  /** Blobs of the vault; false: damaged there too. */
  vault?: Record<string, boolean>;
  /** Blobs that the source has. */
  source?: string;
  mendFails?: Error;
  /** Blobs of which there are bytes, damaged ones, to set aside. */
  standing?: string;
}

/** What was done, in order, with the lock told; and what came of each file. */
async function repaired(
  files: readonly DamagedFile[],
  { vault = {}, source, mendFails, standing = '' }: World,
) {
  const events: string[] = [];
  const letterOf = (digest: string | null) => digest?.at(-1) ?? '';
  const vaultPort = {
    blobs: async () =>
      new Map(Object.keys(vault).map((letter) => [digestOf(letter.repeat(64)), { size: 10 }])),
    contents: async () => ({ snapshots: [], broken: [] }),
  } as unknown as Vault;
  const writer = {
    vault: vaultPort,
    async rehash(digest: string) {
      if (!vault[letterOf(digest)]) throw new AixclError('verification', 'damaged');
    },
    async quarantine() {},
  } as unknown as VaultWriter;
  const keeper = {
    async mend(_model: KeptModel, file: DamagedFile, options: MendOptions) {
      if (mendFails) throw mendFails;
      if (standing.includes(letterOf(file.digest))) {
        await options.writer.quarantine({} as SourceFile, { move: false, why: '' });
      }
      events.push(`mend ${letterOf(file.digest)} with ${options.fetched ?? 'the vault'}`);
    },
  } as unknown as Keeper;
  const ports: RepairPorts = {
    vault: vaultPort,
    async locked(work) {
      events.push('lock');
      await work(writer);
      events.push('unlock');
    },
    async fetch(_model, { digest }) {
      events.push(`fetch ${letterOf(digest)}`);
      if (source === undefined) return null;
      if (!source.includes(letterOf(digest))) throw new AixclError('notFound', 'gone');
      return { path: 'a file', async [Symbol.asyncDispose]() {} };
    },
    step: async () => {},
  };
  const found = { keeper, model: { subject: { runtime: 'ollama', name: 'm' } } } as unknown as Found;
  const outcomes = await repairModel(found, files, ports, signal).catch((error: unknown) => error);
  return { events, outcomes };
}

test('right bytes come from the vault, and nobody else is asked', async () => {
  const { events, outcomes } = await repaired([damagedBlob('a')], { vault: { a: true }, source: 'a' });
  expect(events).toEqual(['lock', 'mend a with the vault', 'unlock']);
  expect(outcomes).toMatchObject([{ from: 'vault' }]);
});

test('what the vault does not have right is fetched, without holding the vault meanwhile', async () => {
  const { events, outcomes } = await repaired([damagedBlob('a'), damagedBlob('b')], {
    vault: { a: false, b: true },
    source: 'a',
  });
  expect(events).toEqual([
    'lock',
    'mend b with the vault',
    'unlock',
    'fetch a',
    'lock',
    'mend a with a file',
    'unlock',
  ]);
  expect(outcomes).toMatchObject([{ from: 'source' }, { from: 'vault' }]);
});

test('what nobody has stays as it is, and is told', async () => {
  const nowhere = await repaired([damagedBlob('a')], {});
  expect(nowhere.events.join()).not.toContain('mend');
  expect(nowhere.outcomes).toMatchObject([{ from: null, why: expect.stringContaining('nobody knows') }]);
  const gone = await repaired([damagedBlob('a')], { source: 'x' });
  expect(gone.outcomes).toMatchObject([{ from: null, why: expect.stringContaining('gone') }]);
});

test('bytes of the vault that turn out wrong when they land are fetched too', async () => {
  const mendFails = new AixclError('verification', 'landed wrong');
  const { events, outcomes } = await repaired([damagedBlob('a')], {
    vault: { a: true },
    mendFails,
    source: 'a',
  });
  expect(events).toContain('fetch a');
  expect(outcomes).toMatchObject([{ from: null, why: expect.stringContaining('landed wrong') }]);
});

test('damaged bytes are said to be in quarantine where there were any', async () => {
  const { outcomes } = await repaired([damagedBlob('a'), damagedBlob('b')], {
    vault: { a: true, b: true },
    standing: 'a',
  });
  expect(outcomes).toMatchObject([{ setAside: true }, { setAside: false }]);
});

test('what nobody foresaw ends it', async () => {
  const crash = new TypeError('nobody foresaw this');
  const { outcomes } = await repaired([damagedBlob('a')], { vault: { a: true }, mendFails: crash });
  expect(outcomes).toBe(crash);
});
