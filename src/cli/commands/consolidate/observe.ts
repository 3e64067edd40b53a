import { constants } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { diskRefusal } from '../../../adapters/disk-refusal.ts';
import { readAdapterConfig } from '../../../adapters/merge/adapter-config.ts';
import { nearest } from '../../../adapters/vault/same-mount.ts';
import type { Consolidated } from '../../../consolidate/consolidated-facts.ts';
import { bytesOfTensors, dequantized, isQuantized } from '../../../consolidate/dequantized.ts';
import { readLora } from '../../../consolidate/lora.ts';
import { mergeMemory, threadsFor } from '../../../consolidate/merge-memory.ts';
import { BaseIsQuantized, type MergePlan, planMerge } from '../../../consolidate/merge-plan.ts';
import type { ObservedConsolidation, PlannedMerge, Saved } from '../../../consolidate/plan-consolidation.ts';
import { quantizedBytes } from '../../../consolidate/quantization.ts';
import { type ScaleRule, scaleRule } from '../../../consolidate/rs-lora.ts';
import { AixclError } from '../../../errors.ts';
import type { Found } from '../../../models/find-kept.ts';
import { type Digest, isDigest } from '../../../vault/digest.ts';
import type { BlobState } from '../../../vault/vault.ts';
import { onSameDisk } from '../../../wiring/disks.ts';
import { vaultOf } from '../../../wiring/vault.ts';
import { assertOwnName } from '../../../wiring/versions/subject.ts';
import type { Context } from '../../context.ts';
import { type AdapterSight, observeAdapter } from './observe-adapter.ts';
import { type BaseSight, observeBase } from './observe-base.ts';
import { observeQuantizer, observeServer, type ServerImage } from './observe-tools.ts';
import { madeBefore, outputStands } from './output.ts';
import type { ConsolidateWish } from './wish.ts';

/** All that a consolidation was decided by. */
export interface ConsolidateSight {
  readonly wish: ConsolidateWish;
  readonly base: BaseSight;
  readonly adapter: AdapterSight;
  readonly rule: ScaleRule;
  readonly way: Consolidated['way'];
  readonly server: ServerImage | null;
  readonly observed: ObservedConsolidation;
}

/** Looks at everything once; changes nothing. Throws for whatever a consolidation would fail of, as far as that can be known. */
export async function observeConsolidation(
  context: Context,
  wish: ConsolidateWish,
): Promise<ConsolidateSight> {
  const stands = await outputStands(context, wish.output);
  const base = await observeBase(context, wish.base);
  const adapter = await observeAdapter(context, wish);
  if (wish.removeAdapter) {
    assertApart(base, adapter);
    await assertMayGo(adapter);
  }
  const { rule, plan, isDequantized } = await planFor(base, adapter, wish);
  const way = {
    command: wish.mergeCommand ?? null,
    scale: plan && scaleOf(plan).scale,
    type: wish.type ?? null,
    quantize: wish.quantize ?? null,
  };
  const made = stands ? await madeBefore(context, { output: wish.output, base, adapter, way }) : null;
  if (!stands) await assertOwnName(context, { runtime: 'llama-server', name: wish.output });
  const server = made === null ? await observeServer(context) : null;
  const tools = server ? await toolsFor(context, server, base, wish, isDequantized) : null;
  const merge = mergeOf(plan, base, adapter, wish, rule);
  const { home } = context;
  const vault = vaultOf(context);
  const blobs = await vault.blobs();
  const { planned } = adapter;
  const merged = plan?.bytes ?? Math.max(base.found.model.size, 2 * base.weights);
  const observed: ObservedConsolidation = {
    base: { ...savedOf(base.found, blobs), quantization: base.quantization, weights: base.weights },
    adapter: savedOf(planned.found, blobs),
    records: {
      training: planned.training.length,
      evolution: planned.evolution?.files.length ?? 0,
      evolutionBytes: planned.evolution?.size ?? 0,
    },
    output: wish.output,
    made,
    dequantized: isDequantized ? bytesOfTensors(dequantized(base.headers)) : null,
    merge,
    quantize: tools?.type
      ? { type: tools.type.name, bytes: quantizedBytes(tools.type, base.weights, merged) }
      : null,
    images: { server: server?.image ?? '', quantizer: tools?.quantizer.image ?? null },
    removeAdapter: wish.removeAdapter,
    models: { path: home.models, space: await spaceAt(home.models) },
    vault: { path: vault.path, space: await vault.space() },
    sameDisk: await onSameDisk(home.models, vault.path),
  };
  return { wish, base, adapter, rule, way, server, observed };
}

/** What the built-in merge comes to; of a quantized base, once that is F16. */
async function planFor(
  base: BaseSight,
  { gguf }: AdapterSight,
  wish: ConsolidateWish,
): Promise<{ rule: ScaleRule; plan: MergePlan | null; isDequantized: boolean }> {
  if (!gguf) return { rule: { rsLora: false, because: '' }, plan: null, isDequantized: false };
  const rule = scaleRule(undefined, await readAdapterConfig(gguf.path), readLora(gguf.header).alpha);
  const options = { type: wish.type, rsLora: rule.rsLora };
  try {
    return { rule, plan: planMerge(base.headers, gguf.header, options), isDequantized: false };
  } catch (error) {
    if (!(error instanceof BaseIsQuantized)) throw error;
  }
  const plan = planMerge(dequantized(base.headers), gguf.header, options);
  return { rule, plan, isDequantized: true };
}

function mergeOf(
  plan: MergePlan | null,
  base: BaseSight,
  { gguf }: AdapterSight,
  wish: ConsolidateWish,
  rule: ScaleRule,
): PlannedMerge {
  if (!plan || !gguf) return { kind: 'command', command: wish.mergeCommand ?? '' };
  const count = (kind: string) => plan.tensors.filter(({ work }) => work.kind === kind).length;
  const threads = threadsFor(plan, availableParallelism());
  return {
    kind: 'built-in',
    merged: count('merge'),
    converted: count('convert'),
    copied: count('copy'),
    ignored: plan.ignored,
    alpha: readLora(gguf.header).alpha,
    ...scaleOf(plan),
    scaleBecause: rule.because,
    type: wish.type ?? (isQuantized(base.headers) ? 'F16' : (base.quantization ?? 'F16')),
    bytes: plan.bytes,
    threads,
    memory: mergeMemory(plan, threads),
  };
}

function scaleOf({ tensors }: MergePlan): { readonly rank: number; readonly scale: number } {
  const works = tensors.flatMap(({ work }) => (work.kind === 'merge' ? work.lora : []));
  const [first] = works.toSorted((a, b) => b.rank - a.rank);
  return { rank: first?.rank ?? 0, scale: first?.scale ?? 1 };
}

async function toolsFor(
  context: Context,
  server: ServerImage,
  base: BaseSight,
  wish: ConsolidateWish,
  isDequantized: boolean,
) {
  if (!isDequantized && wish.quantize === undefined) return null;
  const why = isDequantized
    ? `the base is quantized (${base.quantization ?? 'in parts'}) and has to be turned into F16`
    : `${wish.quantize} was asked for`;
  return await observeQuantizer(context, server, wish.quantize, why);
}

function savedOf({ model: { subject, size, files } }: Found, blobs: ReadonlyMap<Digest, BlobState>): Saved {
  const held = files.filter(
    (file) => file.digest !== null && isDigest(file.digest) && blobs.get(file.digest)?.size === file.size,
  );
  return { subject, size, copied: size - held.reduce((sum, file) => sum + file.size, 0) };
}

/** With the adapter's folder all that lies in it would go. */
function assertApart({ files, found }: BaseSight, { path }: AdapterSight): void {
  const inside = files.find((file) => file.path === path || file.path.startsWith(`${path}/`));
  if (!inside) return;
  throw new AixclError(
    'refused',
    `the base ${found.model.subject.name} lies in the adapter's folder, which --remove-adapter would take away`,
    { hint: 'Name the adapter by its file, or leave --remove-adapter out.' },
  );
}

/** Better now than when all else is done. */
async function assertMayGo({ path }: AdapterSight): Promise<void> {
  const folder = dirname(path);
  try {
    await access(folder, constants.W_OK);
  } catch (error) {
    throw diskRefusal(error, folder, folder);
  }
}

async function spaceAt(path: string): Promise<{ readonly free: number; readonly total: number }> {
  const { bavail, blocks, bsize } = await statfs(await nearest(path));
  return { free: bavail * bsize, total: blocks * bsize };
}
