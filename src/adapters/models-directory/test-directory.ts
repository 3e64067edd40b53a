import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applyAdd, observeStanding } from '../../models/add.ts';
import { observeOrder } from '../../models/order.ts';
import { planAdd } from '../../models/plan-add.ts';
import { parseSource } from '../../models/source.ts';
import type { StepOutcome } from '../../plan/step.ts';
import { heldBytes } from './collection.ts';
import { intakeInto } from './intake.ts';

/** A models directory of its own for a test, beside a folder to take models from. */
export interface TestDirectory extends AsyncDisposable {
  readonly models: string;
  readonly elsewhere: string;
}

export async function makeTestDirectory(): Promise<TestDirectory> {
  const root = await mkdtemp(join(tmpdir(), 'aixcl-models-'));
  const models = join(root, 'models');
  const elsewhere = join(root, 'elsewhere');
  await mkdir(models);
  await mkdir(elsewhere);
  return { models, elsewhere, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) };
}

/** Adds one source as the command does, without its questions. */
export async function addOne(
  models: string,
  source: string,
  options: { as?: string; sha256?: string; signal?: AbortSignal } = {},
): Promise<StepOutcome> {
  const intake = intakeInto(models);
  const { signal = new AbortController().signal } = options;
  const reporter = { begin: () => ({ update() {}, end() {} }) };
  const parsed = parseSource(source);
  if (parsed.kind === 'ollama') throw new Error('The models directory takes no names');
  const order = await observeOrder(parsed, intake, { ...options, signal });
  const standing = await observeStanding(order, intake, { signal, reporter });
  const held = await heldBytes(models, order);
  const { steps } = planAdd([{ order, standing, held, active: false }]);
  return await applyAdd(steps[0]!, intake, { signal, reporter });
}
