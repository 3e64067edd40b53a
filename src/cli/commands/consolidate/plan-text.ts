import type {
  ConsolidateStep,
  ConsolidationPlan,
  PlannedMerge,
} from '../../../consolidate/plan-consolidation.ts';
import { shownSubject } from '../../../models/find-kept.ts';
import { oneLine } from '../../output/plain.ts';
import { bytes } from '../../output/quantity.ts';

/** A consolidation for people, a line a step, and how full the disks get. */
export function consolidationText({ steps, rooms }: ConsolidationPlan): string {
  const merges = steps.some(({ kind }) => kind === 'merge');
  const lines = steps.flatMap((step) => stepText(step, steps));
  const disks = rooms.map(
    ({ needed, left, places }) =>
      `space: ${bytes(needed)} at the most on the disk of ${places.join(' and ')}, which has ${bytes(left + needed)} free`,
  );
  return [...lines, ...(merges ? disks : [])].join('\n');
}

/** What `--format json` says of each step. */
export function plannedSteps({ steps }: ConsolidationPlan) {
  return steps.map((step) => ({
    ...plainOf(step),
    kind: step.kind,
    target: targetOf(step),
    outcome: ['keep', 'stands'].includes(step.kind) ? ('kept' as const) : ('planned' as const),
    because: step.because,
  }));
}

export function targetOf(step: ConsolidateStep): string {
  if (step.kind === 'verify') return step.subjects.map(({ name }) => name).join(', ');
  return 'subject' in step ? step.subject.name : step.name;
}

/** Sizes and the like; names stand in `target`. */
function plainOf(step: ConsolidateStep): object {
  if (step.kind === 'merge') return step.merge;
  const { kind: _kind, because: _because, ...rest } = step;
  return Object.fromEntries(Object.entries(rest).filter(([, value]) => typeof value !== 'object'));
}

function stepText(step: ConsolidateStep, steps: readonly ConsolidateStep[]): string[] {
  switch (step.kind) {
    case 'backup':
      return [`back up ${shownSubject(step.subject)} (${bytes(step.size)}): ${copying(step)}`];
    case 'verify':
      return [`verify both backups: ${step.because}`];
    case 'version':
      return [
        `version ${shownSubject(step.subject)} (${bytes(step.size)})${recorded(step)}: ${step.because}`,
      ];
    case 'dequantize':
      return [
        `turn ${step.name} into F16 (${bytes(step.bytes)}) by llama-quantize of ${step.image}: ${step.because}`,
      ];
    case 'merge':
      return [`merge into ${step.name}: ${mergeText(step.merge)}`, ...mergeNotes(step.merge, steps)];
    case 'quantize': {
      const size = step.bytes === null ? '' : ` (about ${bytes(step.bytes)})`;
      return [`quantize to ${step.type}${size} by llama-quantize of ${step.image}: ${step.because}`];
    }
    case 'check':
      return [
        `check ${step.name} ${step.because}: built as the base is, loads and answers in llama-server of ${step.image}`,
      ];
    case 'publish':
      return [`publish ${step.name} in ${step.folder}: ${step.because}`];
    case 'remove':
      return [`remove ${shownSubject(step.subject)} (${bytes(step.size)}): ${step.because}`];
    case 'keep':
      return [`keep ${shownSubject(step.subject)}: ${step.because}`];
    case 'stands':
      return [`keep ${step.name}: ${step.because}`];
  }
}

function copying({ size, copied }: { readonly size: number; readonly copied: number }): string {
  if (copied === 0) return 'the vault has it already';
  return copied < size ? `the vault copies ${bytes(copied)} of it` : 'the vault copies it';
}

function recorded({
  training,
  evolution,
}: {
  readonly training: number;
  readonly evolution: number;
}): string {
  const files = (count: number) => `${count} ${count === 1 ? 'file' : 'files'}`;
  const parts = [
    ...(training > 0 ? [`${files(training)} of training data recorded`] : []),
    ...(evolution > 0 ? [`${files(evolution)} of its run kept`] : []),
  ];
  return parts.length > 0 ? `, ${parts.join(', ')}` : '';
}

function mergeText(merge: PlannedMerge): string {
  if (merge.kind === 'command') return `by your command: ${oneLine(merge.command)}`;
  const { merged, converted, copied, type, threads, memory } = merge;
  const counts = [
    `${merged} tensors change`,
    ...(converted > 0 ? [`${converted} change their type`] : []),
    ...(copied > 0 ? [`${copied} are carried over`] : []),
  ];
  const work = `${threads} ${threads === 1 ? 'thread' : 'threads'}, ${bytes(memory)} of memory`;
  return `${counts.join(', ')}; ${type}, ${bytes(merge.bytes)}; ${work}`;
}

function mergeNotes(merge: PlannedMerge, steps: readonly ConsolidateStep[]): string[] {
  if (merge.kind === 'command') return [];
  const { alpha, rank, scale, scaleBecause, ignored, bytes: size } = merge;
  const notes = [`  scale ${Number(scale.toPrecision(6))}: alpha ${alpha}, rank ${rank}, ${scaleBecause}`];
  if (ignored.length > 0) {
    const shown = ignored.length > 3 ? [...ignored.slice(0, 3), `and ${ignored.length - 3} more`] : ignored;
    notes.push(`  left out, as llama.cpp leaves them out: ${shown.join(', ')}`);
  }
  const turned = steps.some(({ kind }) => kind === 'dequantize');
  if (turned && !steps.some(({ kind }) => kind === 'quantize')) {
    notes.push(`  it stays in 16 bits, ${bytes(size)}; --quantize TYPE makes it small again`);
  }
  return notes;
}
