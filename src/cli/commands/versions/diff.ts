import type { Arguments } from 'yargs';
import {
  compareFiles,
  compareMetadata,
  type FileChange,
  type MetadataChange,
  type TensorChange,
} from '../../../models/version-diff.ts';
import { readableContents } from '../../../wiring/readable-vault.ts';
import { vaultOf } from '../../../wiring/vault.ts';
import { bytesToCompare, diffTensors, type TensorDiff } from '../../../wiring/versions/compare-tensors.ts';
import { working } from '../../../wiring/working.ts';
import type { Context, Paint } from '../../context.ts';
import { oneLine, plain } from '../../output/plain.ts';
import { bytes } from '../../output/quantity.ts';
import { versionNamed } from './choose.ts';

const mostTensors = 40;

/** `versions diff A B`: what B has otherwise than A. That there is a difference is no error. */
export async function diff(context: Context, argv: Arguments): Promise<void> {
  const vault = vaultOf(context);
  const contents = await readableContents(vault);
  const a = await versionNamed(contents, String(argv['model-version']));
  const b = await versionNamed(contents, String(argv.other));
  const label = `Comparing ${a.id} with ${b.id}`;
  const tensors = await working(context, label, bytesToCompare(a, b), (options) =>
    diffTensors(a, b, vault, options),
  );
  for (const problem of tensors.problems) context.out.warn(problem);
  const value = {
    a: a.id,
    b: b.id,
    metadata: compareMetadata(a, b),
    files: compareFiles(a, b),
    tensors: tensors.changes,
    tensorsSame: tensors.same,
    sizes: { a: a.size, b: b.size },
  };
  context.out.item('diff', value, () => textOf(value, tensors, context.out.paint));
}

interface Shown {
  readonly a: string;
  readonly b: string;
  readonly metadata: readonly MetadataChange[];
  readonly files: readonly FileChange[];
  readonly sizes: { readonly a: number; readonly b: number };
}

function textOf({ a, b, metadata, files, sizes }: Shown, tensors: TensorDiff, paint: Paint): string {
  const lines = [
    `${paint.bad(`--- ${a}`)}  ${bytes(sizes.a)}`,
    `${paint.good(`+++ ${b}`)}  ${bytes(sizes.b)}`,
  ];
  lines.push(...metadata.flatMap((change) => metadataLines(change, paint)));
  lines.push(
    ...section(
      'files',
      files.map((change) => fileLine(change, paint)),
      'no file differs',
      paint,
    ),
  );
  const changed = tensors.changes.slice(0, mostTensors).map((change) => tensorLine(change, paint));
  const more = tensors.changes.length - changed.length;
  if (more > 0) changed.push(`${more} more: --format json`);
  const counts = countsOf(tensors);
  if (tensors.changes.length + tensors.same > 0) {
    lines.push(...section(`tensors: ${counts}`, changed, undefined, paint));
  }
  return lines.join('\n');
}

function section(title: string, lines: readonly string[], none: string | undefined, paint: Paint): string[] {
  const shown = lines.length === 0 && none !== undefined ? [none] : lines;
  return ['', paint.bold(title), ...shown.map((line) => `  ${line}`)];
}

function metadataLines({ field, a, b }: MetadataChange, paint: Paint): string[] {
  const side = (sign: string, text: string | null) =>
    text === null
      ? []
      : plain(text)
          .split('\n')
          .map((line) => `  ${sign} ${line}`);
  return [
    paint.bold(oneLine(field)),
    ...side('-', a).map((line) => paint.bad(line)),
    ...side('+', b).map((line) => paint.good(line)),
  ];
}

function fileLine({ path, change, a, b }: FileChange, paint: Paint): string {
  const name = oneLine(path);
  if (change === 'added') return paint.good(`+ ${name}  ${bytes(b)}`);
  if (change === 'removed') return paint.bad(`- ${name}  ${bytes(a)}`);
  return `~ ${name}  ${a === b ? bytes(b) : `${bytes(a)} → ${bytes(b)}`}`;
}

function tensorLine({ name, change, a, b }: TensorChange, paint: Paint): string {
  const text = (side: TensorChange['a']) => (side ? `${side.type} [${side.shape.join(', ')}]` : '');
  const shown = oneLine(name);
  if (change === 'added') return paint.good(`+ ${shown}  ${text(b)}`);
  if (change === 'removed') return paint.bad(`- ${shown}  ${text(a)}`);
  return change === 'values' ? `~ ${shown}  ${text(b)}` : `~ ${shown}  ${text(a)} → ${text(b)}`;
}

function countsOf({ changes, same }: TensorDiff): string {
  const kinds = ['added', 'removed', 'shape', 'type', 'values'] as const;
  const words = {
    added: 'added',
    removed: 'removed',
    shape: 'of another shape',
    type: 'of another type',
    values: 'with other values',
  };
  const counts = kinds.flatMap((kind) => {
    const { length } = changes.filter(({ change }) => change === kind);
    return length > 0 ? [`${length} ${words[kind]}`] : [];
  });
  return [...counts, `${same} the same`].join(', ');
}
