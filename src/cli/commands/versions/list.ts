import type { Arguments } from 'yargs';
import { shownSubject } from '../../../models/find-kept.ts';
import { metricValues } from '../../../models/metric-values.ts';
import { quoted } from '../../../models/model-name.ts';
import { versionFacts } from '../../../models/version-facts.ts';
import type { Snapshot } from '../../../vault/snapshot.ts';
import { latestVersions } from '../../../vault/version-id.ts';
import { recordsUnreadable } from '../../../wiring/readable-vault.ts';
import { vaultOf } from '../../../wiring/vault.ts';
import { describeVersion, type VersionObject } from '../../../wiring/versions/describe-version.ts';
import type { Column, Context, Paint } from '../../context.ts';
import { oneLine } from '../../output/plain.ts';
import { ago, bytes } from '../../output/quantity.ts';
import { versionsNamed } from './choose.ts';

/** `versions list [MODEL]`: from the vault's records alone. Records that can't be read are told when the others are shown. */
export async function list(context: Context, argv: Arguments): Promise<void> {
  const vault = vaultOf(context);
  const { snapshots, broken } = await vault.contents();
  const latest = latestVersions(snapshots);
  const model = argv.model === undefined ? undefined : String(argv.model);
  const all = snapshots.filter(({ kind }) => kind === 'version').sort(byModel);
  const shown = model === undefined ? all : await versionsNamed(snapshots, model);
  const metrics = new Map(shown.map((each) => [each.id, metricsText(each)]));
  await context.out.list(
    'version',
    shown.map((each) => describeVersion(each, latest)),
    columns(context.out.paint, metrics),
  );
  for (const { name, why } of broken) {
    context.out.warn(`the record ${name} can't be read: ${why}; nothing is deleted from the vault meanwhile`);
  }
  for (const { id, damage } of shown) if (damage !== null) context.out.warn(`${id} is damaged: ${damage}`);
  if (broken.length > 0) throw recordsUnreadable(vault, broken);
  if (all.length === 0) {
    context.out.note(
      `No versions in ${vault.path} yet. Make one: aixcl versions create MODEL --description TEXT`,
    );
  } else if (shown.length === 0) {
    context.out.note(`There is no version of ${quoted(String(model))}. All there are: aixcl versions list`);
  }
}

function byModel(a: Snapshot, b: Snapshot): number {
  if (a.subject.name !== b.subject.name) return a.subject.name < b.subject.name ? -1 : 1;
  return a.number - b.number;
}

function columns(paint: Paint, metrics: ReadonlyMap<string, string>): Column<VersionObject>[] {
  const now = new Date();
  return [
    { title: 'Version', value: ({ id }) => shownSubject({ runtime: 'directory', name: id }) },
    { title: '', value: ({ latest }) => (latest ? 'latest' : '') },
    { title: 'Created', value: ({ created }) => ago(new Date(created), now) },
    { title: 'Size', value: ({ size }) => bytes(size), align: 'right' },
    { title: 'State', value: (row) => stateOf(row, paint) },
    { title: 'Metrics', value: ({ id }) => metrics.get(id) ?? '' },
    { title: 'Description', value: ({ description }) => shortened(description, 60) },
  ];
}

function stateOf({ verified, damage, places }: VersionObject, paint: Paint): string {
  const also = places.length > 0 ? `, in ${places.length + 1} places` : '';
  if (damage !== null) return paint.bad('damaged') + also;
  return (verified === null ? paint.warn('not hashed') : paint.good('verified')) + also;
}

/** The first few of those that are numbers. */
function metricsText({ facts }: Snapshot): string {
  const { metricsText: text } = versionFacts(facts);
  const numbers = metricValues(text ?? '').filter((value) => /^-?[\d.]/.test(value.text));
  const some = numbers.slice(0, 2).map(({ name, text }) => `${name} ${text}`);
  const more = numbers.length > some.length ? `, ${numbers.length - some.length} more` : '';
  return some.length > 0 ? shortened(some.join(', '), 40) + more : '-';
}

/** On one line, and no more than fits. */
function shortened(text: string, most: number): string {
  const line = oneLine(text).trim();
  const letters = [...line];
  return letters.length > most ? `${letters.slice(0, most - 1).join('')}…` : line;
}
