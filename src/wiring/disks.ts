import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from '../errors.ts';
import type { Home } from '../home.ts';

/** True when one failing disk takes both; of what is not there yet, the nearest folder above counts. */
export async function onSameDisk(a: string, b: string): Promise<boolean> {
  const [one, other] = await Promise.all([deviceOf(a), deviceOf(b)]);
  return one === other;
}

/** Whether the vault is lost with the models when their disk is; null while there is no folder of models. */
export async function vaultOnModelsDisk({ vault, models, ollama }: Home): Promise<boolean | null> {
  const found = await Promise.all([models, ollama].map((path) => stat(path).catch(() => undefined)));
  const devices = found.flatMap((stats) => stats?.dev ?? []);
  return devices.length > 0 ? devices.includes(await deviceOf(vault)) : null;
}

async function deviceOf(path: string): Promise<number> {
  try {
    return (await stat(path)).dev;
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' || dirname(path) === path) throw error;
    return deviceOf(dirname(path));
  }
}
