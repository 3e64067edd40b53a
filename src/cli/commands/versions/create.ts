import type { Arguments } from 'yargs';
import { shownSubject } from '../../../models/find-kept.ts';
import { quoted } from '../../../models/model-name.ts';
import { shellWord } from '../../../shell-word.ts';
import type { Snapshot } from '../../../vault/snapshot.ts';
import { settleFirst, withOperation } from '../../../wiring/operation.ts';
import { wasWrittenOver } from '../../../wiring/versions/subject.ts';
import {
  makeVersion,
  observeVersion,
  type PlannedVersion,
  recordFor,
} from '../../../wiring/versions/versioning.ts';
import type { Context } from '../../context.ts';
import { bytes } from '../../output/quantity.ts';
import { runtimeOf } from '../models/runtime.ts';

const command = 'versions create';

/** `versions create MODEL|DIR --description TEXT`. */
export async function create(context: Context, argv: Arguments): Promise<void> {
  await settleFirst(context, command);
  const text = (value: unknown) => (value === undefined ? undefined : String([value].flat().at(-1)));
  const planned = await observeVersion(context, {
    subject: String(argv.subject),
    runtime: runtimeOf(argv.runtime),
    description: text(argv.description) ?? '',
    trainingData: [argv.trainingData ?? []].flat().map(String),
    metrics: text(argv.metrics),
    evolution: text(argv.evolution),
    base: text(argv.base),
  });
  const { subject } = planned.found.model;
  say(context, planned);
  if (await wasWrittenOver(planned.found)) {
    context.out.warn(
      `${quoted(subject.name)} is not what was added: it was written over since; the version holds it as it is now`,
    );
  }
  if (context.flags.dryRun) {
    const because = `${bytes(planned.size)} of ${subject.runtime}; what the vault has already is not copied`;
    const steps = [{ kind: 'version', target: subject.name, outcome: 'planned' as const, because }];
    const lines = [`would save ${shownSubject(subject)} as its next version: ${because}`];
    const { training } = planned;
    const size = training.reduce((sum, file) => sum + file.size, 0);
    if (training.length > 0)
      lines.push(`would record ${files(training.length)} of training data, ${bytes(size)}`);
    context.out.result({ command, changed: false, steps }, lines.join('\n'));
    return;
  }
  const records = await recordFor(context, planned);
  const snapshot = await withOperation(context, { command, targets: [subject.name] }, (work) =>
    makeVersion(context, planned, records, work),
  );
  report(context, snapshot, planned);
}

/** What of the run's folder is not kept, or not drawn. */
function say(context: Context, { evolution }: PlannedVersion): void {
  if (!evolution) return;
  const [first, ...more] = evolution.left;
  if (first !== undefined) {
    const others = more.length > 0 ? ` and ${files(more.length)} more` : '';
    context.out.warn(
      `of ${quoted(evolution.path)} only JSON and JSON lines are kept; left out: ${quoted(first)}${others}`,
    );
  }
  for (const problem of evolution.problems) context.out.warn(`kept, and not drawn: ${problem}`);
}

function report(context: Context, snapshot: Snapshot, { training, evolution }: PlannedVersion): void {
  const { id, subject, size, verified } = snapshot;
  const beside = [
    ...(training.length > 0 ? [`${files(training.length)} of training data recorded`] : []),
    ...(evolution ? [`${files(evolution.files.length)} of its run kept`] : []),
  ];
  const because = [`saved as ${id}, ${bytes(size)}`, ...beside].join('; ');
  const step = {
    kind: 'version',
    target: subject.name,
    outcome: 'done' as const,
    because,
    version: id,
    verified: verified?.toISOString() ?? null,
  };
  const lines = [`${shownSubject(subject)}: ${because}`, `next: aixcl versions show ${shellWord(id)}`];
  context.out.result({ command, changed: true, steps: [step] }, lines.join('\n'));
}

function files(count: number): string {
  return `${count} ${count === 1 ? 'file' : 'files'}`;
}
