import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AixclError } from '../errors.ts';
import type { Engine } from '../stack/engine.ts';
import { HelperContainer } from './helper-container.ts';

export interface ShareWish {
  /** AIXCL_HOME; made where it is missing. */
  readonly home: string;
  /** For a helper container, the likeliest first (`imagesAtHand`). */
  readonly images: readonly string[];
  readonly signal: AbortSignal;
}

/**
 * Whether the engine sees the folders of this home, so that a volume can be a name for one. One in a virtual machine does not (a folder that
 * Docker Desktop shares can be mounted, and yet is no device of a volume), nor one in another mount namespace, nor Snap's below
 * a hidden folder: these are asked for a fresh file. Undefined: no image is here to ask with.
 */
export async function seesHome(engine: Engine, wish: ShareWish): Promise<boolean | undefined> {
  if (process.platform !== 'linux') return false;
  const { operatingSystem } = await engine.info();
  return operatingSystem.includes('Docker Desktop') ? false : asked(engine, wish);
}

async function asked(engine: Engine, { home, images, signal }: ShareWish): Promise<boolean | undefined> {
  await mkdir(home, { recursive: true });
  const folder = await mkdtemp(join(home, '.seen-by-engine-'));
  const token = randomBytes(16).toString('hex');
  try {
    await writeFile(join(folder, token), '');
    await using helper = await HelperContainer.create(engine, {
      home,
      operation: 'look',
      images,
      mounts: [{ kind: 'folder', path: folder, target: '/seen', readOnly: true }],
      signal,
    });
    return (await engine.statPath(helper.id, `/seen/${token}`)) !== undefined;
  } catch (error) {
    if (!(error instanceof AixclError)) throw error;
    // dockerd refuses a bind mount of what it does not see (daemon/volume/mounts, validateMountConfig).
    if (error.code === 'unexpected' && /bind source path does not exist/.test(error.message)) return false;
    if (error.code === 'notFound') return undefined;
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
