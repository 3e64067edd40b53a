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
    lines.push(`the vault copies ${bytes(takes.copied)}, about ${estimate(takes.copied / copiedASecond)}`);
  }
  if (takes.held > 0) lines.push(`the vault has ${bytes(takes.held)} of it already`);
  const hashing = takes.hashed / hashedASecond;
  if (hashing > 1) lines.push(`${bytes(takes.hashed)} are hashed first, about ${estimate(hashing)}`);
  for (const { path, size: kept, with: others } of stays) {
    lines.push(
      `stays: ${path} (${bytes(kept)}), which ${others.join(', ')} ${others.length > 1 ? 'have' : 'has'} too`,
    );
  }
  if (source === 'unique') lines.push('unique: no source answered for all of it');
  if (source === 're-pullable') lines.push('re-pullable: each part of it answers at its source now');
  return lines.map((line, index) => (index === 0 ? line : `  ${line}`)).join('\n');
}

function estimate(seconds: number): string {
  return duration(Math.max(1000, seconds * 1000));
}
