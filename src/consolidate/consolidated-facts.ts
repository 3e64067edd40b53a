import { z } from 'zod';

const file = z.object({ path: z.string(), sha256: z.string() });

const schema = z.object({
  base: z.object({ name: z.string(), files: z.array(file) }),
  /** `version`: its id in the vault in which it was made. */
  adapter: z.object({ name: z.string(), version: z.string(), files: z.array(file) }),
  way: z.object({
    /** The command that merged, if it was not aixcl. */
    command: z.string().nullable(),
    /** What the product of the adapter's factors was multiplied by, where aixcl merged. */
    scale: z.number().nullable(),
    /** What was asked for; null: nothing. */
    type: z.string().nullable(),
    quantize: z.string().nullable(),
  }),
});

/** Of what, and how, a merged model was made: `facts.consolidated` of its version. */
export type Consolidated = z.infer<typeof schema>;

/** Null for a version of anything else. */
export function consolidatedFacts(facts: Readonly<Record<string, unknown>>): Consolidated | null {
  const parsed = schema.safeParse(facts.consolidated);
  return parsed.success ? parsed.data : null;
}

/** The same files merged in the same way, whatever they were called. */
export function sameMaking(a: Consolidated, b: Omit<Consolidated, 'adapter'> & MadeOf): boolean {
  const sums = (files: Consolidated['base']['files']) =>
    files
      .map(({ sha256 }) => sha256)
      .sort()
      .join();
  return (
    sums(a.base.files) === sums(b.base.files) &&
    sums(a.adapter.files) === sums(b.adapter.files) &&
    JSON.stringify(Object.entries(a.way).sort()) === JSON.stringify(Object.entries(b.way).sort())
  );
}

interface MadeOf {
  readonly adapter: Pick<Consolidated['adapter'], 'files'>;
}
