import prettyBytes from 'pretty-bytes';
import { quoted } from '../../models/model-name.ts';
import type { Examined } from '../examined.ts';
import type { Finding } from '../finding.ts';
import { count, daysBetween, few } from '../words.ts';

/** Days without a byte after which nobody seems to go on with an upload. */
const abandonedAfter = 7;

/** What killed commands left, and uploads that nobody went on with. */
export function checkLeftovers({ leftovers, now }: Examined): Finding[] {
  if (!leftovers) return [];
  const { helpers, unfinishedNames, interrupted } = leftovers;
  const found: Finding[] = [];
  if (unfinishedNames) {
    found.push({
      check: 'names-half-changed',
      level: 'problem',
      what: 'a killed command left names of models half changed',
      why: 'A model may be missing under its name until that is finished or taken back; nothing is lost.',
      command: 'aixcl doctor --fix',
      fixable: true,
    });
  }
  if (helpers.length > 0) {
    found.push({
      check: 'helper-left',
      level: 'note',
      what: `${count(helpers.length, 'helper container')} of killed commands: ${few(helpers)}`,
      why: 'Each keeps folders or volumes open for a day.',
      command: 'aixcl doctor --fix',
      fixable: true,
    });
  }
  if (interrupted) {
    const when = interrupted.began.toISOString().slice(0, 16).replace('T', ' ');
    found.push({
      check: 'command-interrupted',
      level: 'note',
      what: `aixcl ${interrupted.command}, begun ${when} UTC, was killed before its end`,
      why: 'What it began is finished or taken back when it, or another command that changes something, runs.',
      command: `aixcl journal ${interrupted.operation}`,
      fixable: false,
    });
  }
  const uploads = leftovers.uploads.filter(({ touched }) => daysBetween(touched, now) >= abandonedAfter);
  if (uploads.length > 0) {
    const total = uploads.reduce((sum, { bytes }) => sum + bytes, 0);
    found.push({
      check: 'upload-left',
      level: 'note',
      what: `${count(uploads.length, 'upload')} (${prettyBytes(total)}) got no byte for ${abandonedAfter} days or more: ${few(uploads.map(({ file }) => quoted(file)))}`,
      why: 'What came so far takes room beside the models, and is none of them. On the page it can be gone on with, or cleared.',
      command: 'aixcl ui',
      fixable: false,
    });
  }
  return found;
}
