import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { systemCode } from '../../errors.ts';
import type { ModelName } from '../../models/model-name.ts';
import { makeDirectory, ownershipOf, replaceFile, syncDirectory } from '../durable.ts';
import { namesIn } from '../names-in.ts';
import { fileIdentitySchema } from '../vault/file-identity-schema.ts';

/**
 * `MODELS/.aixcl/uploads/ID/` holds one upload: `about.json`, what was announced, which never changes; `bytes`, what came so far; `state.json`,
 * what is known of those. The folder goes when the model has its name, or somebody clears it.
 */
export function uploadsFolder(models: string): string {
  return join(models, '.aixcl', 'uploads');
}

const name = z.string().transform((text) => text as ModelName);
const aboutSchema = z.object({
  file: name,
  /** The model that it is, or is a part of. */
  model: name,
  /** How many files that has in its folder; null: it is one file, and no folder. */
  parts: z.number().nullable(),
  /** 64 hex digits that it has to have. */
  sha256: z.string().nullable(),
  /** Whether what stands under the name may be saved and replaced. */
  agreed: z.boolean(),
  /** Bytes. */
  size: z.number(),
  /** ISO 8601 UTC. */
  created: z.string(),
});

/** What bytes hashed to, and the file that they were then. */
const hashedSchema = z.object({
  /** 64 hex digits. */
  sha256: z.string(),
  identity: fileIdentitySchema,
});

const problemSchema = z.object({
  type: z.literal('about:blank'),
  title: z.string(),
  status: z.number(),
  detail: z.string(),
  code: z.string(),
  hint: z.string().nullable(),
  evidence: z.array(z.string()).readonly(),
});

const stateSchema = z.object({
  /** Bytes that are on the disk for sure. */
  synced: z.number(),
  /** The kernel's id of the boot in which the rest came. */
  boot: z.string().nullable(),
  hashed: hashedSchema.nullable(),
  /** Why it was refused. */
  problem: problemSchema.nullable(),
  agreed: z.boolean(),
});

export type KeptState = z.infer<typeof stateSchema>;
export type HashedFile = z.infer<typeof hashedSchema>;
export type About = Readonly<z.infer<typeof aboutSchema>>;

export interface FoundUpload {
  readonly about: About;
  readonly state: KeptState;
  /** Length of what came so far. */
  readonly received: number;
  /** When the last byte came, in milliseconds of the clock. */
  readonly touched: number;
}

export class UploadFolder {
  readonly id: string;
  readonly path: string;
  readonly #models: string;

  constructor(models: string, id: string) {
    this.#models = models;
    this.id = id;
    this.path = join(uploadsFolder(models), id);
  }

  get bytes(): string {
    return join(this.path, 'bytes');
  }

  async make(about: About, state: KeptState): Promise<void> {
    const owner = await ownershipOf(this.#models);
    await makeDirectory(this.path, owner);
    await this.note(state);
    await replaceFile(join(this.path, 'about.json'), `${JSON.stringify(about)}\n`, owner);
  }

  async note(state: KeptState): Promise<void> {
    const owner = await ownershipOf(this.#models);
    await replaceFile(join(this.path, 'state.json'), `${JSON.stringify(state)}\n`, owner);
  }

  async clear(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
    await syncDirectory(uploadsFolder(this.#models));
  }

  /** Undefined for a folder whose upload was never answered. Throws `Unreadable`. */
  async look(): Promise<FoundUpload | undefined> {
    const about = await this.#read('about.json', aboutSchema);
    if (!about) return undefined;
    const state = await this.#read('state.json', stateSchema);
    const there = await statOf(this.bytes);
    return {
      about,
      state: state ?? freshState(about.agreed, null),
      received: there?.size ?? 0,
      touched: there?.mtimeMs ?? Date.parse(about.created),
    };
  }

  async #read<T>(file: string, schema: z.ZodType<T>): Promise<T | undefined> {
    try {
      return schema.parse(JSON.parse(await readFile(join(this.path, file), 'utf8')));
    } catch (error) {
      if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined;
      if (systemCode(error) === undefined) throw new Unreadable(file, { cause: error });
      throw error;
    }
  }
}

/** What was kept of an upload makes no sense. */
export class Unreadable extends Error {}

/** Of an upload that has no bytes yet. */
export function freshState(agreed: boolean, boot: string | null): KeptState {
  return { synced: 0, boot, hashed: null, problem: null, agreed };
}

/** Every folder of an upload. */
export async function uploadFolders(models: string): Promise<UploadFolder[]> {
  const names = await namesIn(uploadsFolder(models));
  return names.filter(isUploadId).map((id) => new UploadFolder(models, id));
}

function isUploadId(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text);
}

/** Tells this boot of the machine from others; null where the system does not say. */
export async function bootId(): Promise<string | null> {
  return await readFile('/proc/sys/kernel/random/boot_id', 'utf8').then(
    (text) => text.trim(),
    () => null,
  );
}

async function statOf(path: string): Promise<{ size: number; mtimeMs: number } | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
