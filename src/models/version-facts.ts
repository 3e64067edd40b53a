import { z } from 'zod';

/** One file that a model was trained on: recorded, not kept. */
export interface TrainingFile {
  /** Absolute, as it was then. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** 64 hex digits. */
  readonly sha256: string;
}

const trainingFile = z.object({ path: z.string(), size: z.number(), sha256: z.string() });
const numberOrNull = z.number().nullable().catch(null);
const textOrNull = z.string().nullable().catch(null);

const series = z.object({
  name: z.string(),
  by: z.enum(['step', 'epoch', 'time']).nullable().catch(null),
  points: z.number(),
  first: numberOrNull,
  last: numberOrNull,
  min: numberOrNull,
  max: numberOrNull,
});

/** What a version knows beside its files, among the facts of its snapshot. What a record of another hand lacks is null, or empty. */
const schema = z.object({
  /** Which aixcl made it. */
  tool: textOrNull,
  /** What an adapter says of itself. */
  adapter: z
    .object({
      format: z.enum(['peft', 'gguf']),
      method: textOrNull,
      rank: numberOrNull,
      alpha: numberOrNull,
      rankStabilized: z.boolean().catch(false),
      weights: z.array(z.string()).catch([]),
      tensors: z.number().catch(0),
    })
    .nullable()
    .catch(null),
  /** What it was trained on, or derived from; its digest where that could be known. */
  baseModel: z.object({ name: z.string(), digest: textOrNull }).nullable().catch(null),
  trainingData: z.array(trainingFile).catch([]),
  /** As it was given; numbers as JavaScript has them. */
  metrics: z.unknown().optional(),
  /** The same, to the letter. */
  metricsText: textOrNull,
  evolution: z
    .object({ files: z.number(), size: z.number(), metrics: z.array(series).catch([]) })
    .nullable()
    .catch(null),
});

export type VersionFacts = z.infer<typeof schema>;

export function versionFacts(facts: Readonly<Record<string, unknown>>): VersionFacts {
  const { metrics, ...read } = schema.parse(facts);
  return { ...read, metrics: metrics ?? null };
}
