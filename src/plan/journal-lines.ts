import type { JournalEntry, JournalText } from './journal.ts';

/** What a file of the journal says. Lines that can't be read (torn off by a power cut, say) are left out and counted. */
export function parseJournal(text: string): JournalText {
  const lines = text.split('\n').filter((line) => line !== '');
  const entries = lines.flatMap((line) => parseLine(line) ?? []);
  return { entries, unreadable: lines.length - entries.length };
}

/** By hand, as every command that changes something reads it. */
function parseLine(line: string): JournalEntry | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  return isEntry(value) ? value : undefined;
}

function isEntry(value: unknown): value is JournalEntry {
  if (typeof value !== 'object' || value === null) return false;
  const entry = value as Record<string, unknown>;
  const texts = (...keys: string[]) => keys.every((key) => typeof entry[key] === 'string');
  if (!texts('time', 'operation') || Number.isNaN(Date.parse(entry.time as string))) return false;
  switch (entry.event) {
    case 'begin':
      return (
        texts('command') &&
        typeof entry.pid === 'number' &&
        isTexts(entry.targets) &&
        (entry.process === undefined || texts('process'))
      );
    case 'step':
      return texts('kind', 'target', 'because');
    case 'end':
      return texts('outcome') && (entry.because === null || texts('because'));
    default:
      return false;
  }
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}
