import type { Arguments } from 'yargs';
import { modelsDirectoryAt } from '../../../adapters/models-directory/directory.ts';
import type { Context } from '../../context.ts';
import { bytes } from '../../output/quantity.ts';
import { describeModel, parameterText, recordsOf } from './describe.ts';
import { findModel } from './find.ts';

/** `models show NAME`. */
export async function show(context: Context, argv: Arguments): Promise<void> {
  const directory = modelsDirectoryAt(context.home.models);
  const model = await findModel(directory, String(argv.name));
  const activation = await directory.activation();
  const records = await recordsOf(model, directory);
  const value = {
    ...(await describeModel(model, activation, directory)),
    title: model.summary?.title ?? null,
    contextLength: model.summary?.contextLength ?? null,
    chatTemplate: model.summary?.chatTemplate ?? null,
    license: model.summary?.license ?? null,
    arguments: await directory.readArguments(model.name),
    files: model.files.map((file, index) => ({
      ...file,
      sha256: records[index]?.sha256 ?? null,
      source: records[index]?.source ?? null,
    })),
  };
  context.out.item('model', value, () => {
    const { paint } = context.out;
    const rows: [string, string | null][] = [
      ['name', value.name],
      ['title', plain(value.title)],
      ['state', value.damage ? paint.bad(`damaged: ${value.damage}`) : (value.standing ?? 'not active')],
      ['architecture', plain(value.architecture)],
      ['parameters', parameterText(value.parameters)],
      ['quantization', value.quantization],
      ['context length', value.contextLength === null ? null : `${value.contextLength} tokens`],
      ['licence', plain(value.license)],
      ['size', bytes(value.size)],
      ['modified', value.modified],
      ['digest', value.digest],
      ['source', value.source],
      ['arguments', value.arguments.length > 0 ? value.arguments.join(' ') : null],
    ];
    const width = Math.max(...rows.map(([title]) => title.length));
    const lines = rows.map(([title, text]) => `${paint.dim(title.padEnd(width))}  ${text ?? '-'}`);
    for (const file of value.files) {
      const from = file.source ? `  from ${file.source}` : '';
      lines.push(`${paint.dim('file'.padEnd(width))}  ${file.path}  ${bytes(file.size)}${from}`);
    }
    if (value.chatTemplate) lines.push(`${paint.dim('template')}\n${indented(value.chatTemplate)}`);
    return lines.join('\n');
  });
}

/** What a file says of itself may hold anything; a terminal gets no control characters from it. */
function plain(text: string | null): string | null {
  return text === null ? null : text.replace(/\p{Cc}/gu, ' ');
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${plain(line)}`)
    .join('\n');
}
