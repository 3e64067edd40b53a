import type { Arguments } from 'yargs';
import { findKept } from '../../../models/find-kept.ts';
import { snapshotsOf } from '../../../models/last-backups.ts';
import type { Snapshot } from '../../../vault/snapshot.ts';
import { keepersOf } from '../../../wiring/keepers.ts';
import { parameterText } from '../../../wiring/models/describe-model.ts';
import { complete, snapshotsIn } from '../../../wiring/models/listing.ts';
import type { Context, Paint } from '../../context.ts';
import { oneLine } from '../../output/plain.ts';
import { bytes } from '../../output/quantity.ts';
import { runtimeOf } from './runtime.ts';
import { ggufFacts, ollamaFacts, type ShownFacts } from './show-facts.ts';

/** Milliseconds in which the source may answer. */
const sourceDeadline = 3000;

/** `models show NAME`. */
export async function show(context: Context, argv: Arguments): Promise<void> {
  const runtime = runtimeOf(argv.runtime);
  const { model } = await findKept(await keepersOf(context, runtime), String(argv.name));
  const { described, ...facts } =
    model.subject.runtime === 'ollama'
      ? await ollamaFacts(context, model)
      : await ggufFacts(context, model.subject.name);
  const snapshots = await snapshotsIn(context);
  const deadline = argv.offline === true ? null : sourceDeadline;
  const [object] = await complete(context, [described], { snapshots, deadline });
  const own = snapshotsOf(snapshots, model.subject);
  const value = {
    ...object!,
    ...facts,
    backups: own.filter(({ kind }) => kind === 'backup').map(shown),
    versions: own.filter(({ kind }) => kind === 'version').map(shown),
  };
  context.out.item('model', value, () => textOf(value, context.out.paint));
}

function shown({ id, backupType, created, verified, damage }: Snapshot) {
  return {
    id,
    ...(backupType !== null && { backupType }),
    created: created.toISOString(),
    verified: verified?.toISOString() ?? null,
    damage,
  };
}

type Shown = Awaited<ReturnType<typeof complete>>[number] &
  Omit<ShownFacts, 'described'> & {
    readonly backups: readonly ReturnType<typeof shown>[];
    readonly versions: readonly ReturnType<typeof shown>[];
  };

function textOf(value: Shown, paint: Paint): string {
  const state = value.damage
    ? paint.bad(`damaged: ${value.damage}`)
    : (value.standing ?? (value.runtime === 'ollama' ? 'whole' : 'not active'));
  const rows: [string, string | null][] = [
    ['name', value.name],
    ['runtime', value.runtime],
    ['title', value.title && oneLine(value.title)],
    ['state', state],
    ['architecture', value.architecture && oneLine(value.architecture)],
    ['parameters', parameterText(value.parameters)],
    ['quantization', value.quantization && oneLine(value.quantization)],
    ['context length', value.contextLength === null ? null : `${value.contextLength} tokens`],
    ['licence', firstLine(value.license)],
    ['size', bytes(value.size)],
    ['modified', value.modified],
    ['digest', value.digest],
    ['source', value.source],
    ['arguments', value.arguments.length > 0 ? value.arguments.join(' ') : null],
    ['versions', value.versions.map(({ id }) => id).join(' ') || 'none'],
    ['backups', value.backups.map(({ id }) => id).join(' ') || 'none'],
    ['last backup', value.lastBackup ?? 'never'],
  ];
  const width = Math.max(...rows.map(([title]) => title.length));
  const lines = rows.map(([title, text]) => `${paint.dim(title.padEnd(width))}  ${text ?? '-'}`);
  for (const { path, size, use, source, sharedWith } of value.files) {
    const kind = value.runtime === 'ollama' ? `  ${use}` : '';
    const from = source ? `  from ${source}` : '';
    const shared = sharedWith.length > 0 ? `  shared with ${sharedWith.join(', ')}` : '';
    lines.push(`${paint.dim('file'.padEnd(width))}  ${path}  ${bytes(size)}${kind}${from}${shared}`);
  }
  if (value.chatTemplate) lines.push(`${paint.dim('template')}\n${indented(value.chatTemplate)}`);
  return lines.join('\n');
}

/** Ollama keeps whole licences; the JSON has all of it. */
function firstLine(text: string | null): string | null {
  const line = text?.split('\n').find((line) => line.trim() !== '');
  return line === undefined ? null : oneLine(line);
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${oneLine(line)}`)
    .join('\n');
}
