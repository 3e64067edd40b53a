import { shellWord } from '../../../shell-word.ts';
import type { CleanOutcome } from '../../../stack/clean/clean.ts';
import { targetOf } from '../../../stack/clean/clean.ts';
import type { CleanStep } from '../../../stack/clean/plan-clean.ts';
import { heldUntil } from '../../../vault/retention.ts';
import type { Snapshot } from '../../../vault/snapshot.ts';
import { oneLine } from '../../output/plain.ts';
import { bytes } from '../../output/quantity.ts';

/** The plan for people: what goes, then what is kept, each with its size and why. */
export function cleanPlanText(plan: readonly CleanStep[]): string {
  const held = plan.filter(({ kind }) => kind === 'hold-volumes');
  const going = plan.filter(({ kind }) => !['keep', 'save-volume', 'hold-volumes'].includes(kind));
  const kept = plan.filter(({ kind }) => kind === 'keep');
  return [
    ...(held.length > 0 ? ['is held first, by the guard:', ...held.flatMap(goingLines)] : []),
    ...(going.length > 0 ? ['goes:', ...going.flatMap(goingLines)] : ['nothing is there that would go']),
    ...(kept.length > 0 ? ['stays:', ...kept.map((step) => `  ${whatOf(step)}: ${step.because}`)] : []),
  ].join('\n');
}

function goingLines(step: CleanStep): string[] {
  if (step.kind !== 'remove-saved-volume') return [`  ${whatOf(step)}: ${step.because}`];
  const { asked } = step;
  const way = asked.linked ? 'taken over, nothing is copied' : 'copied';
  const saved = `${asked.files} file${asked.files === 1 ? '' : 's'}, ${bytes(asked.size)}, into the vault first (${way})`;
  const left = asked.leftOut.map(({ path, why }) => {
    const becomes =
      asked.folder === undefined
        ? 'is not saved, and goes with it'
        : `is not saved, and stays in ${asked.folder}`;
    return `    ${oneLine(path)} ${becomes}: ${why}`;
  });
  return [`  ${whatOf(step)}: ${saved}`, ...left];
}

function whatOf(step: CleanStep): string {
  const name = nameOf(step);
  const size =
    step.kind !== 'remove-saved-volume' && 'size' in step && step.size ? ` (${bytes(step.size)})` : '';
  const words: Readonly<Record<CleanStep['kind'], string>> = {
    'hold-volumes': 'volume',
    'save-volume': 'volume',
    'remove-container': 'container',
    'remove-helper': 'helper',
    'let-go': 'guard',
    'remove-saved-volume': 'volume',
    'remove-network': 'network',
    'remove-image': 'image',
    'remove-volume': 'volume',
    keep: step.kind === 'keep' ? step.what : '',
  };
  if (step.kind === 'let-go') return `guard ${name} lets go of ${step.volume.name}`;
  const image = step.kind === 'remove-image' && step.image.size > 0 ? ` (${bytes(step.image.size)})` : '';
  return `${words[step.kind]} ${name}${size}${image}`;
}

/** Ids of images and names of anonymous volumes as the engine's own tools show them. */
function nameOf(step: CleanStep): string {
  if (step.kind === 'hold-volumes') return step.volumes.map(shortened).join(', ');
  return shortened(targetOf(step));
}

function shortened(name: string): string {
  if (/^sha256:[0-9a-f]{64}$/.test(name)) return name.slice('sha256:'.length, 'sha256:'.length + 12);
  return /^[0-9a-f]{64}$/.test(name) ? name.slice(0, 12) : oneLine(name);
}

/** What was done: a line for what is gone, how a saved volume comes back, and what failed. */
export function cleanedText(
  outcomes: readonly CleanOutcome[],
  saved: ReadonlyMap<string, { readonly snapshot: Snapshot }>,
): string {
  const count = (kind: string) =>
    outcomes.filter((each) => each.kind === kind && each.outcome === 'done').length;
  const parts = [
    [count('remove-container') + count('remove-helper'), 'container'],
    [count('remove-network'), 'network'],
    [count('remove-image'), 'image'],
    [count('remove-volume') + count('remove-saved-volume'), 'volume'],
  ] as const;
  const gone = parts
    .filter(([number]) => number > 0)
    .map(([number, what]) => `${number} ${what}${number > 1 ? 's' : ''}`);
  const failed = outcomes.filter(({ outcome }) => outcome === 'failed');
  const stayed = outcomes.filter(({ kind, outcome }) => outcome === 'kept' && kind.startsWith('remove-'));
  return [
    gone.length > 0 ? `removed ${gone.join(', ')}` : 'nothing was removed',
    ...[...saved].flatMap(([name, { snapshot }]) => savedLines(name, snapshot, outcomes)),
    ...failed.map(({ target, because }) => `failed ${target}: ${because}`),
    ...stayed.map(({ target, because }) => `${target} stays: ${because}`),
  ].join('\n');
}

function savedLines(
  name: string,
  { id, created, size }: Snapshot,
  outcomes: readonly CleanOutcome[],
): string[] {
  const isGone = outcomes.some(
    ({ kind, target, outcome }) => kind === 'remove-saved-volume' && target === name && outcome === 'done',
  );
  const state = isGone ? 'is gone' : 'is still there';
  return [
    `the volume ${name} ${state}; the vault holds all of it (${bytes(size)}) as ${id} until ${heldUntil(created)} at least`,
    `  to bring it back:    aixcl undo, or aixcl backups restore ${id}`,
    `  to free its space:   aixcl backups delete ${id} --confirm ${shellWord(name)}`,
  ];
}
