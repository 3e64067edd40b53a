import { createHash } from 'node:crypto';
import { AixclError } from '../../errors.ts';
import { deletedVersion, deletedVersionFacts } from '../../vault/deleted-version.ts';
import { type Digest, digestOf } from '../../vault/digest.ts';
import type { Snapshot, SnapshotDraft } from '../../vault/snapshot.ts';
import { sameSubject } from '../../vault/subject.ts';
import { deletedRecord } from '../../vault/version-files.ts';
import { sweep } from './collect.ts';
import type { Desk } from './desk.ts';
import { type Entry, lookUp, readRecord, recordOf } from './index-file.ts';
import { enter, entriesOf, idIn, referenceOf, withDigest } from './publish.ts';
import { parseRecord, writeManifest, writeMetadata } from './records.ts';

/** As `VaultWriter.retire` says. The metadata of the version stays as a file of the backup. */
export async function retire(
  desk: Desk,
  id: string,
  wish: Pick<SnapshotDraft, 'created' | 'reason' | 'operation'>,
): Promise<Snapshot> {
  const entries = await entriesOf(desk);
  const version = await snapshotCalled(desk, entries, id);
  if (version.kind !== 'version') throw new AixclError('usage', `${id} is no version`);
  const { metadata } = await recordOf(version.digest, desk.layout);
  const draft: SnapshotDraft = {
    ...wish,
    kind: 'backup',
    backupType: 'deleted_version',
    subject: version.subject,
    folders: version.folders,
    facts: { ...version.facts, ...deletedVersionFacts(version), taken: true },
  };
  const files = [...version.files, { path: deletedRecord, ...referenceOf(metadata) }];
  const written = writeMetadata(draft);
  const manifest = writeManifest(referenceOf(written), files);
  const { verified, damage } = version;
  const backup = await enter(
    desk,
    { ...draft, files, metadata: written, manifest },
    { marks: { verified, damage, undone: null, places: [] }, inPlaceOf: id },
  );
  await sweep(desk, [version.digest]);
  return backup;
}

/** As `VaultWriter.reinstate` says. */
export async function reinstate(desk: Desk, id: string): Promise<Snapshot> {
  const entries = await entriesOf(desk);
  const backup = await snapshotCalled(desk, entries, id);
  const was = deletedVersion(backup);
  const kept = backup.files.find(({ path }) => path === deletedRecord);
  if (!was || !kept) throw new AixclError('usage', `${id} is no version that was deleted`);
  const metadata = await readRecord(kept, desk.layout);
  if (metadata.problem !== undefined) {
    throw new AixclError('verification', `the metadata of ${was.id} ${metadata.problem}`, {
      hint: 'aixcl vault verify --repair',
    });
  }
  const files = backup.files.filter((file) => file !== kept);
  const manifest = writeManifest(kept, files);
  const record = { manifest, metadata: metadata.content };
  const read = parseRecord(record);
  if (typeof read === 'string') throw new AixclError('verification', `${was.id} can't be read: ${read}`);
  if (read.kind !== 'version' || !sameSubject(read.subject, backup.subject)) {
    throw new AixclError('verification', `the metadata that ${id} keeps is not that of ${was.id}`);
  }
  const here = await withDigest(desk, entries, hashOf(manifest));
  if (here) return here;
  const { verified, damage } = backup;
  return enter(
    desk,
    { ...read, ...record },
    { marks: { verified, damage, undone: null, places: [] }, wish: was.number },
  );
}

async function snapshotCalled(desk: Desk, entries: readonly Entry[], id: string): Promise<Snapshot> {
  const entry = entries.find((each) => idIn(each) === id);
  if (!entry) throw new AixclError('notFound', `the vault has no ${id}`, { hint: 'aixcl versions list' });
  const found = await lookUp(entry, desk.layout);
  if ('snapshot' in found) return found.snapshot;
  throw new AixclError('verification', `the record ${id} can't be read: ${found.broken.why}`, {
    hint: 'docs/recovery.md says how a record comes back',
  });
}

function hashOf(content: Uint8Array): Digest {
  return digestOf(createHash('sha256').update(content).digest('hex'));
}
