import { count, few } from '../../../doctor/words.ts';
import { type BringStep, bytesToCopy } from '../../../models/ollama/bring-over-plan.ts';
import { blobsOf } from '../../../models/ollama/manifest.ts';
import type { StepOutcome } from '../../../plan/step.ts';
import { shellWord } from '../../../shell-word.ts';
import { bytes } from '../../output/quantity.ts';
import { nameOf, toBring } from './move-models.ts';
import type { FoundStore } from './move-source.ts';

/** The plan, for people. */
export function planText(steps: readonly BringStep[], from: string, into: string): string {
  const lines = steps.map(lineOf);
  const copied = bytesToCopy(steps);
  if (toBring(steps).length > 0) {
    lines.push(copied > 0 ? `${bytes(copied)} are copied` : 'nothing has to be copied but manifests');
  }
  return [`from ${from} into ${into}:`, ...lines.map((line) => `  ${line}`)].join('\n');
}

function lineOf(step: BringStep): string {
  const name = nameOf(step);
  switch (step.kind) {
    case 'bring': {
      const { manifest } = step.model.stored;
      const here = (manifest ? blobsOf(manifest) : []).length > step.copied.length;
      const rest = here ? `, ${bytes(bytesToCopy([step]))} to copy` : '';
      return `bring ${name} (${bytes(step.model.size)}${rest}): ${step.because}`;
    }
    case 'keep':
      return `keep ${name}: ${step.because}`;
    case 'leave':
      return `leave ${name} where it is: ${step.because}`;
  }
}

/** What became of each, for people. */
export function outcomeText(steps: readonly StepOutcome[]): string[] {
  return steps.map(({ kind, outcome, target, because }) => {
    if (outcome === 'done') return `brought ${target}`;
    if (outcome === 'kept') return `kept ${target}: ${because}`;
    return kind === 'leave' ? because : `${target} was not brought: ${because}`;
  });
}

/** What is left of the old store. That it may go is said only where nothing would go with it: `onlyThere` as `filesOnlyThere` tells it. */
export function oldStoreText(
  { place, removal, root }: Pick<FoundStore, 'place' | 'removal' | 'root'>,
  all: boolean,
  onlyThere: readonly string[] | null,
): string {
  const untouched = `${place.startsWith('/') ? '' : 'The '}${place} is as it was.`;
  if (!all) return `${untouched} It holds models that are not here: keep it until they are.`;
  const check = `${untouched} To see that all is right here: aixcl models verify.`;
  if (onlyThere === null) {
    return `${check} What else lies in it could not be looked at from here: look before it goes.`;
  }
  if (onlyThere.length === 0) return `${check} After that it may go: ${removal}`;
  const more = `${count(onlyThere.length, 'file')} that ${onlyThere.length === 1 ? 'is' : 'are'} not here: ${few(onlyThere)}`;
  return `${check} It also holds ${more}. To save all that is in it: aixcl backups create ${shellWord(root)}`;
}
