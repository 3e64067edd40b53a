import { join } from 'node:path';
import { Layout } from '../../../adapters/vault/layout.ts';
import { inQuarantine } from '../../../adapters/vault/quarantine.ts';
import type { Snapshot } from '../../../vault/snapshot.ts';
import type { BlobState, Vault, VaultContents } from '../../../vault/vault.ts';
import { vaultOnModelsDisk } from '../../../wiring/disks.ts';
import { vaultOf } from '../../../wiring/vault.ts';
import type { Context } from '../../context.ts';
import { bytes } from '../../output/quantity.ts';

interface VaultObject {
  readonly path: string;
  readonly snapshots: number;
  readonly blobs: number;
  /** Bytes on the vault's disk; a file that has another name outside counts here too. */
  readonly bytesStored: number;
  /** Bytes of all files of all snapshots, were each stored by itself. */
  readonly bytesReferenced: number;
  /** Of `bytesStored`, what is one file with one outside the vault: one copy, not two. */
  readonly bytesShared: number;
  readonly free: number;
  /** Since when every snapshot was found right; null while there is one that never was. */
  readonly lastVerified: string | null;
  readonly damaged: readonly string[];
  readonly broken: readonly string[];
  /** Whether the models are lost with the vault when its disk is; null without models. */
  readonly sharesModelsDisk: boolean | null;
  /** Damaged bytes that were set aside. No command takes them away. */
  readonly bytesQuarantined: number;
}

/** `vault status`: from the disk alone; nothing is hashed. */
export async function status(context: Context): Promise<void> {
  const vault = vaultOf(context);
  const [contents, blobs, { free }, sharesModelsDisk, quarantine] = await Promise.all([
    vault.contents(),
    vault.blobs(),
    vault.space(),
    vaultOnModelsDisk(context.home),
    inQuarantine(new Layout(vault.path).quarantine),
  ]);
  const found = {
    ...describe(vault, contents, blobs, free, sharesModelsDisk),
    bytesQuarantined: quarantine.bytes,
  };
  context.out.item('vault', found, () => text(found, contents));
  for (const { id, subject, damage } of contents.snapshots)
    if (damage) context.out.warn(`${id} (${subject.name}) is damaged: ${damage}`);
  for (const { name, why } of contents.broken)
    context.out.warn(`the record ${name} can't be read: ${why}. Nothing is deleted from the vault meanwhile`);
}

function describe(
  { path }: Vault,
  { snapshots, broken }: VaultContents,
  blobs: ReadonlyMap<unknown, BlobState>,
  free: number,
  sharesModelsDisk: boolean | null,
): Omit<VaultObject, 'bytesQuarantined'> {
  const states = [...blobs.values()];
  const stored = (of: readonly BlobState[]) => of.reduce((sum, each) => sum + each.stored, 0);
  return {
    path,
    snapshots: snapshots.length,
    blobs: states.length,
    bytesStored: stored(states),
    bytesReferenced: snapshots.reduce((sum, { size }) => sum + size, 0),
    bytesShared: stored(states.filter(({ shared }) => shared)),
    free,
    lastVerified: lastVerified(snapshots)?.toISOString() ?? null,
    damaged: snapshots.filter(({ damage }) => damage !== null).map(({ id }) => id),
    broken: broken.map(({ name }) => name),
    sharesModelsDisk,
  };
}

function lastVerified(snapshots: readonly Snapshot[]): Date | null {
  const times = snapshots.map(({ verified }) => verified);
  if (times.length === 0) return null;
  return times.reduce((oldest, time) => (oldest && time && time < oldest ? time : oldest && time));
}

function text(found: VaultObject, { snapshots }: VaultContents): string {
  const never = snapshots.filter(({ verified }) => verified === null).length;
  const checked =
    found.snapshots === 0
      ? '-'
      : (found.lastVerified ?? `${never} of ${found.snapshots} never: aixcl vault verify`);
  const lines = [
    ['Vault', found.path],
    ['Snapshots', String(found.snapshots)],
    ['Blobs', `${found.blobs}, ${bytes(found.bytesStored)} for ${bytes(found.bytesReferenced)} in snapshots`],
    ...(found.bytesShared > 0
      ? [['Shared', `${bytes(found.bytesShared)} are one file with a model's: one copy, not two`]]
      : []),
    ...(found.bytesQuarantined > 0
      ? [['Aside', `${bytes(found.bytesQuarantined)} of damaged bytes in ${join(found.path, 'quarantine')}`]]
      : []),
    ['Free', bytes(found.free)],
    ['Verified', checked],
    ['Disk', diskText(found)],
  ];
  return lines.map(([title = '', value]) => `${title.padEnd(10)} ${value}`).join('\n');
}

function diskText({ sharesModelsDisk }: VaultObject): string {
  if (sharesModelsDisk === null) return 'no models are there yet';
  if (!sharesModelsDisk) return "not the models'";
  return "the models' too: when it fails, both are gone. A second vault elsewhere: aixcl vault sync FOLDER";
}
