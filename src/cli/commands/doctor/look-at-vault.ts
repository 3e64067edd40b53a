import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Layout } from '../../../adapters/vault/layout.ts';
import { inQuarantine } from '../../../adapters/vault/quarantine.ts';
import type { Amount, BackupsExamined, VaultExamined } from '../../../doctor/examined.ts';
import { systemCode } from '../../../errors.ts';
import { lastBackups } from '../../../models/last-backups.ts';
import { damageWhenSaved } from '../../../vault/check-snapshot.ts';
import { ggufListing, subjectOf } from '../../../wiring/models/listing.ts';
import type { Surroundings } from './surroundings.ts';

export async function lookAtVault({ context, vault }: Surroundings): Promise<VaultExamined> {
  const layout = new Layout(context.home.vault);
  const [{ snapshots, broken }, quarantine, ingest] = await Promise.all([
    vault(),
    inQuarantine(layout.quarantine),
    leftInIngest(layout),
  ]);
  const verified = snapshots.flatMap(({ verified: when }) => when ?? []);
  const damaged = snapshots.flatMap(({ id, subject, damage }) => {
    const asSaved = damageWhenSaved({ damage }) !== null;
    return damage === null ? [] : [{ id, name: subject.name, why: damage, asSaved }];
  });
  return {
    path: layout.root,
    broken,
    damaged: damaged.filter(({ asSaved }) => !asSaved),
    damagedWhenSaved: damaged.filter(({ asSaved }) => asSaved),
    snapshots: snapshots.length,
    unverified: snapshots.length - verified.length,
    oldestVerification: verified.reduce<Date | null>((old, when) => (old && old < when ? old : when), null),
    quarantine,
    ingest,
    elsewhere: snapshots.length > 0 && snapshots.every(({ places }) => places.length > 0),
  };
}

/** What lies where bytes are written, unless somebody writes there now. */
async function leftInIngest(layout: Layout): Promise<Amount> {
  const none = { files: 0, bytes: 0 };
  const names = await readdir(layout.ingest, { recursive: true, withFileTypes: true }).catch(
    (error: unknown) => {
      if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return [];
      throw error;
    },
  );
  if (names.length === 0 || (await isAtWork(layout.lock))) return none;
  const files = names.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map(({ parentPath, name }) =>
      lstat(join(parentPath, name)).then(
        ({ blocks }) => blocks * 512,
        () => 0,
      ),
    ),
  );
  return { files: files.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

/** By what the holder of the lock signs: to try the lock would be in the way of one who wants it. */
async function isAtWork(lock: string): Promise<boolean> {
  const signature = await readFile(lock, 'utf8').catch(() => '');
  const pid = Number(/\(pid (\d+)\)/.exec(signature)?.[1]);
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== 'ESRCH';
  }
}

/** Which models no snapshot holds. Nobody is asked whether a source has them still. */
export async function lookAtBackups({ context, store, vault }: Surroundings): Promise<BackupsExamined> {
  const [gguf, { models }, { snapshots }] = await Promise.all([ggufListing(context), store(), vault()]);
  const last = lastBackups(snapshots);
  const isWithout = (subject: Parameters<typeof last>[0]) => last(subject) === null;
  const ollama = models.filter(({ stored }) => stored.manifest !== null).map(({ subject }) => subject);
  const own = gguf.models.map(({ object, origin }) => ({ subject: subjectOf(object), origin }));
  const ownWithout = own.filter(({ subject }) => isWithout(subject));
  const namesOf = (some: typeof own) => some.map(({ subject }) => subject.name);
  const dates = snapshots.flatMap(({ created, verified, damage }) =>
    verified && damage === null ? created : [],
  );
  return {
    uniqueWithout: namesOf(ownWithout.filter(({ origin }) => origin.kind === 'nowhere')),
    pulledWithout: [
      ...namesOf(ownWithout.filter(({ origin }) => origin.kind !== 'nowhere')),
      ...ollama.filter(isWithout).map(({ name }) => name),
    ],
    models: ollama.length + own.length,
    newest: dates.reduce<Date | null>((newest, date) => (newest && newest > date ? newest : date), null),
  };
}
