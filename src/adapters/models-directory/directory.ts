import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemCode } from '../../errors.ts';
import { formatRequest } from '../../models/activation.ts';
import type { Model } from '../../models/model.ts';
import type { ModelsDirectory } from '../../models/models-directory.ts';
import { makeDirectory, ownershipOf, replaceFile } from '../durable.ts';
import { readActivation } from './activation-files.ts';
import { onDisk } from './disk-errors.ts';
import { inspectModel } from './inspect-model.ts';
import { NotOpened } from './open-inside.ts';
import { readRecord } from './records.ts';
import { scan } from './scan.ts';

/** The models directory at `path`, which need not be there. */
export function modelsDirectoryAt(path: string): ModelsDirectory {
  const own = (...parts: string[]) => join(path, '.aixcl', ...parts);

  async function write(target: string, content: string): Promise<void> {
    await onDisk(path, async () => {
      const owner = await ownershipOf(path);
      await makeDirectory(dirname(target), owner);
      await replaceFile(target, content, owner);
    });
  }

  return {
    path,
    async list() {
      return await onDisk(path, async () => {
        const { found, unusable } = await scan(path);
        const models: Model[] = [];
        for (const each of found) models.push(await inspectModel(path, each));
        return { models, unusable };
      });
    },
    async find(name) {
      return await onDisk(path, async () => {
        const { found } = await scan(path);
        const match = found.find((each) => each.name === name);
        return match && (await inspectModel(path, match));
      });
    },
    activation: () => onDisk(path, () => readActivation(path)),
    writeRequest: (request) => write(own('request'), formatRequest(request)),
    async readArguments(name) {
      try {
        const text = await readFile(own('args', name), 'utf8');
        return text.split('\n').filter((line) => line !== '');
      } catch (error) {
        if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return [];
        throw error;
      }
    },
    writeArguments: (name, args) =>
      write(own('args', name), args.map((argument) => `${argument}\n`).join('')),
    async recordOf(file) {
      try {
        return await readRecord(path, file.path);
      } catch (error) {
        if (error instanceof NotOpened) return undefined;
        throw error;
      }
    },
  };
}

/** An id that no other request has. */
export function newRequestId(now: Date): string {
  return `${now.getTime().toString(36)}-${randomBytes(6).toString('hex')}`;
}
