import { constants } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../errors.ts';
import type { Snapshot } from '../../vault/snapshot.ts';
import type { Marks } from '../../vault/vault.ts';
import { namesIn } from '../names-in.ts';
import { listBlobs } from '../vault/collect.ts';
import { readRecord } from '../vault/index-file.ts';
import type { Layout } from '../vault/layout.ts';
import { backups, numberOf, type Series, spelled, versionsOf } from '../vault/numbers.ts';
import { parseRecord, readManifest } from '../vault/records.ts';

/** A snapshot whose manifest and metadata lie in a vault, whatever its index says. */
export interface FoundRecord extends Omit<Snapshot, 'id' | 'number' | keyof Marks> {
  readonly manifestSize: number;
}

/** Records are small; what is larger is a model. */
const largestRecord = 64 * 1024 * 1024;

/** Every whole manifest of a snapshot among the blobs, its metadata too, oldest first. Only what begins as JSON does is read. */
export async function findRecords(layout: Layout): Promise<FoundRecord[]> {
  const found: FoundRecord[] = [];
  for (const [digest, { size }] of await listBlobs(layout)) {
    if (size > largestRecord || !(await beginsAsObject(layout.blob(digest)))) continue;
    const manifest = await readRecord({ digest, size }, layout);
    if (manifest.problem !== undefined) continue;
    const read = readManifest(manifest.content.toString('utf8'));
    if (typeof read === 'string') continue;
    const metadata = await readRecord(read.config, layout);
    if (metadata.problem !== undefined) continue;
    const record = parseRecord({ manifest: manifest.content, metadata: metadata.content });
    if (typeof record !== 'string') found.push({ ...record, manifestSize: size });
  }
  return found.sort((a, b) => a.created.getTime() - b.created.getTime() || (a.digest < b.digest ? -1 : 1));
}

async function beginsAsObject(path: string): Promise<boolean> {
  try {
    await using handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(64), 0, 64, 0);
    return buffer.subarray(0, bytesRead).toString('latin1').trimStart().startsWith('{');
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}

export interface NamedRecord {
  readonly snapshot: Snapshot;
  readonly manifestSize: number;
  /** For `skopeo`, as `publish` gives it. */
  readonly tag: string;
  readonly series: Series;
  /** False: its number is still to be claimed. */
  readonly claimed: boolean;
}

/**
 * Gives each record a number again: the one that its own operation claimed, where that is but one; else the one that it has in another vault
 * (`known`); else one that was never used. `ids`: those that others have. When it was verified is not known any more.
 */
export async function nameRecords(
  records: readonly FoundRecord[],
  ids: readonly string[],
  known: readonly Snapshot[],
  layout: Layout,
): Promise<NamedRecord[]> {
  const claims = new Map<string, Map<number, string>>();
  const used = new Map<string, Set<number>>();
  for (const record of records) {
    const { folder } = seriesOf(record);
    if (claims.has(folder)) continue;
    claims.set(folder, await claimsIn(join(layout.numbers, folder)));
    used.set(folder, new Set(ids.flatMap((id) => numberIn(id, record))));
  }
  const numbers = new Map<FoundRecord, number>();
  const give = (record: FoundRecord, number: number | undefined) => {
    const taken = used.get(seriesOf(record).folder);
    if (number === undefined || numbers.has(record) || taken?.has(number)) return;
    numbers.set(record, number);
    taken?.add(number);
  };
  for (const record of records) give(record, ownClaim(record, records, claims));
  for (const record of records) {
    const number = known.find(({ digest }) => digest === record.digest)?.number;
    const claim = number === undefined ? undefined : claims.get(seriesOf(record).folder)?.get(number);
    const others = records.some((each) => each.operation === claim && each.digest !== record.digest);
    if (!others) give(record, number);
  }
  for (const record of records) {
    const { folder } = seriesOf(record);
    give(record, Math.max(0, ...(claims.get(folder)?.keys() ?? []), ...(used.get(folder) ?? [])) + 1);
  }
  return records.map((record) => {
    const number = numbers.get(record)!;
    const series = seriesOf(record);
    const claimed = claims.get(series.folder)?.has(number) === true;
    return { ...named(record, number, series), claimed };
  });
}

function named(record: FoundRecord, number: number, series: Series): Omit<NamedRecord, 'claimed'> {
  const { manifestSize, ...rest } = record;
  const text = spelled(series, number);
  const backup = record.kind === 'backup';
  const marks = { verified: null, damage: null, undone: null, places: [] };
  return {
    snapshot: { ...rest, ...marks, number, id: backup ? text : `${record.subject.name}@${text}` },
    manifestSize,
    tag: backup ? text : `${series.folder.split('/').at(-1)?.slice(0, 16)}-${text}`,
    series,
  };
}

function ownClaim(
  record: FoundRecord,
  records: readonly FoundRecord[],
  claims: ReadonlyMap<string, ReadonlyMap<number, string>>,
): number | undefined {
  const { folder } = seriesOf(record);
  const own = [...(claims.get(folder) ?? [])].filter(([, operation]) => operation === record.operation);
  const made = records.filter(
    (each) => each.operation === record.operation && seriesOf(each).folder === folder,
  );
  return own.length === 1 && made.length === 1 ? own[0]?.[0] : undefined;
}

function seriesOf({ kind, subject }: Pick<Snapshot, 'kind' | 'subject'>): Series {
  return kind === 'backup' ? backups : versionsOf(subject);
}

function numberIn(id: string, { kind, subject }: FoundRecord): number[] {
  if (kind === 'version' && id.slice(0, id.lastIndexOf('@')) !== subject.name) return [];
  return [numberOf(id, kind) ?? []].flat();
}

/** Operation by the number that it claimed. */
async function claimsIn(folder: string): Promise<Map<number, string>> {
  const names = await namesIn(folder);
  const claims = new Map<number, string>();
  for (const name of names) {
    const number = Number(name.slice(1));
    if (Number.isSafeInteger(number)) claims.set(number, (await readFile(join(folder, name), 'utf8')).trim());
  }
  return claims;
}
