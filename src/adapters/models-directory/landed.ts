import { join } from 'node:path';
import { GgufProblem } from '../../models/gguf/header.ts';
import { combineShards, type Inspected } from '../../models/gguf/inspect.ts';
import type { Order, OrderedFile, StandingRecord } from '../../models/intake.ts';
import { mainFileOf, shardsOf } from '../../models/model-files.ts';
import type { Ownership } from '../durable.ts';
import { inspectFile, notAModel } from './inspect-file.ts';
import { writeRecord } from './records.ts';

/** Where a file of a model gets its name, relative to the models directory. */
export function placeOf(order: Order, file: OrderedFile): string {
  return order.folder ? join(order.name, file.name) : order.name;
}

/** Checks the structure of all files together; throws `verification`. */
export async function checkStructure(order: Order, pathOf: (file: OrderedFile) => string): Promise<void> {
  const inspected = new Map<string, Inspected>();
  for (const file of order.files)
    inspected.set(file.name, await inspectFile(pathOf(file), file.name, { thorough: true }));
  const names = order.files.map((file) => file.name);
  const chosen = mainFileOf(names);
  const main = 'main' in chosen ? chosen.main : names[0]!;
  try {
    const shards = order.folder ? shardsOf(main, names).present : [main];
    combineShards(shards.map((name) => inspected.get(name)!));
  } catch (error) {
    if (error instanceof GgufProblem) throw notAModel(order.name, error);
    throw error;
  }
}

/** Writes what is known of the files of a model that has its name. */
export async function recordAll(
  directory: string,
  order: Order,
  records: ReadonlyMap<string, StandingRecord>,
  owner: Ownership | undefined,
): Promise<void> {
  for (const file of order.files) {
    const record = records.get(file.name);
    if (record) await writeRecord(directory, placeOf(order, file), record, owner);
  }
}
