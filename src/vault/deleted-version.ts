import { z } from 'zod';
import { isDigest } from './digest.ts';
import type { Snapshot } from './snapshot.ts';

/** Which version a `deleted_version` backup was, among its facts. */
export interface DeletedVersion {
  readonly id: string;
  readonly number: number;
  /** Of its manifest. */
  readonly digest: string;
  readonly created: Date;
}

const schema = z.object({
  id: z.string(),
  number: z.int().positive(),
  digest: z.string().refine(isDigest),
  created: z.iso.datetime().transform((text) => new Date(text)),
});

/** Undefined for all others: somebody's own backup may have that type, too. */
export function deletedVersion({ facts }: Pick<Snapshot, 'facts'>): DeletedVersion | undefined {
  if (facts.deletedVersion === undefined) return undefined;
  return schema.safeParse(facts.deletedVersion).data;
}

export function deletedVersionFacts({ id, number, digest, created }: Snapshot): Record<string, unknown> {
  return { deletedVersion: { id, number, digest, created: created.toISOString() } };
}

/** When its bytes were saved: of a deleted version, when that was made; deleting it saved nothing newer. */
export function savedAt(snapshot: Pick<Snapshot, 'created' | 'facts'>): Date {
  return deletedVersion(snapshot)?.created ?? snapshot.created;
}
