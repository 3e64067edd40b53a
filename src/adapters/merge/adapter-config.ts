import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type AdapterConfig, parseAdapterConfig } from '../../consolidate/rs-lora.ts';
import { systemCode } from '../../errors.ts';

/** The `adapter_config.json` beside the GGUF `adapter`; undefined when there is none. */
export async function readAdapterConfig(adapter: string): Promise<AdapterConfig | undefined> {
  const path = join(dirname(adapter), 'adapter_config.json');
  try {
    return parseAdapterConfig(await readFile(path, 'utf8'), path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
