import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Document, isMap, parse } from 'yaml';
import { systemCode } from '../errors.ts';
import type { HomeOverlay } from '../stack/home-overlay.ts';
import { replaceFile } from './durable.ts';

const head =
  '# Written by aixcl: what this home differs in. Your own changes belong into compose.override.yaml beside it.\n';

/** Changes the home's overlay file; nothing is written where nothing changes. Answers whether something did. */
export async function changeOverlay(
  file: string,
  change: (overlay: HomeOverlay) => HomeOverlay,
): Promise<boolean> {
  const before = await readIfThere(file);
  const overlay = change((before === undefined ? {} : (parse(before, quietly) as HomeOverlay | null)) ?? {});
  const filled = Object.entries(overlay).filter(([, part]) => Object.keys(part).length > 0);
  if (filled.length === 0 && before === undefined) return false;
  const after = head + written({ services: {}, ...Object.fromEntries(filled) });
  if (after === before) return false;
  await mkdir(dirname(file), { recursive: true });
  await replaceFile(file, after, undefined);
  return true;
}

/** The parser warns of Compose's tags. */
const quietly = { logLevel: 'error' } as const;

function written(overlay: HomeOverlay): string {
  const document = new Document(overlay);
  const volumes = document.get('volumes');
  for (const { value } of isMap(volumes) ? volumes.items : []) if (isMap(value)) value.tag = '!override';
  return document.toString();
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
