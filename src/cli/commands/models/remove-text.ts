import { shownSubject } from '../../../models/find-kept.ts';
import type { RemoveStep } from '../../../models/plan-remove.ts';
import { bytes, duration } from '../../output/quantity.ts';

/** Bytes a second that a copy, synced and hashed, takes at the least; an estimate for people. */
const copiedASecond = 300e6;
const hashedASecond = 700e6;

/** What a removal means, in a few lines for people. */
export function removalText({
  subject,
  size,
  takes,
  stays,
  damage,
  source,
  active,
}: RemoveStep & { kind: 'remove' }): string {
  const lines = [`remove ${shownSubject(subject)} (${subject.runtime}, ${bytes(size)})`];
  if (damage) lines.push(`it is damaged: ${damage}; its backup is kept, and is no good copy`);
  if (active) lines.push('llama-server serves it, and has no model of its own when it starts again');
  if (takes.linked > 0)
    lines.push(`the vault takes over ${bytes(takes.linked)} as they are: nothing is copied`);
  if (takes.copied > 0) {
    lines.push(`the vault copies ${bytes(takes.copied)}${estimate(takes.copied / copiedASecond)}`);
  }
  if (takes.held > 0) lines.push(`the vault has ${bytes(takes.held)} of it already`);
  const hashing = estimate(takes.hashed / hashedASecond);
  if (hashing) lines.push(`${bytes(takes.hashed)} are hashed first${hashing}`);
  lines.push(...staysText(stays));
  if (source === 'unique') lines.push('unique: no source answered for all of it');
  if (source === 're-pullable') lines.push('re-pullable: each part of it answers at its source now');
  return lines.map((line, index) => (index === 0 ? line : `  ${line}`)).join('\n');
}

type Staying = (RemoveStep & { kind: 'remove' })['stays'];

/** Smaller files than this, in bytes, are told of together. */
const worthALine = 1e6;

function staysText(stays: Staying): string[] {
  const small = stays.filter(({ size }) => size < worthALine);
  const lines = stays
    .filter(({ size }) => size >= worthALine)
    .map(({ path, size, with: others }) => `stays: ${shortened(path)} (${bytes(size)}), ${sharedBy(others)}`);
  if (small.length === 0) return lines;
  const size = small.reduce((sum, each) => sum + each.size, 0);
  const others = [...new Set(small.flatMap((each) => each.with))];
  const files = small.length === 1 ? 'a small file' : `${small.length} small files`;
  return [...lines, `stays: ${files} (${bytes(size)}), ${sharedBy(others)}`];
}

function sharedBy(others: readonly string[]): string {
  return `which ${others.join(', ')} ${others.length > 1 ? 'have' : 'has'} too`;
}

/** A digest as Docker shortens it. */
function shortened(path: string): string {
  return path.replace(/^blobs\/(sha256-[0-9a-f]{12})[0-9a-f]{52}$/, '$1');
}

/** Nothing for what takes less than a second. */
function estimate(seconds: number): string {
  return seconds < 1 ? '' : `, about ${duration(seconds * 1000)}`;
}
