import type { Journal } from '../../../plan/journal.ts';

/** As `doctor --move` is told to the journal: its first target is where the models came from. */
const command = 'doctor --move';

/** Places of other Ollamas whose models were all brought over, as far as the journal goes back: `volume NAME`, or a folder. */
export async function placesBroughtOver(journal: Journal): Promise<ReadonlySet<string>> {
  const { entries } = await journal.read();
  const done = new Set(
    entries.flatMap((entry) => (entry.event === 'end' && entry.outcome === 'done' ? entry.operation : [])),
  );
  return new Set(
    entries.flatMap((entry) =>
      entry.event === 'begin' && entry.command === command && done.has(entry.operation)
        ? entry.targets.slice(0, 1)
        : [],
    ),
  );
}
