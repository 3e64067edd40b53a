import type { Arguments } from 'yargs';
import { type ModelObject, parameterText } from '../../../wiring/models/describe-model.ts';
import { complete, listing, snapshotsIn } from '../../../wiring/models/listing.ts';
import type { Column, Context, Paint } from '../../context.ts';
import { ago, bytes } from '../../output/quantity.ts';
import { runtimeOf } from './runtime.ts';

/** Milliseconds in which sources may answer; who does not is taken for one that does not. */
const sourcesDeadline = 1000;

/** `models list`: every model of both runtimes, with everything stopped too. */
export async function list(context: Context, argv: Arguments): Promise<void> {
  const { out, home } = context;
  const runtime = runtimeOf(argv.runtime);
  const [{ models, warnings }, snapshots] = await Promise.all([
    listing(context, runtime),
    snapshotsIn(context),
  ]);
  const deadline = argv.offline === true ? null : sourcesDeadline;
  const rows = await complete(context, models, { snapshots, deadline });
  await out.list('model', rows, columns(out.paint));
  for (const { name, damage } of rows) if (damage) out.warn(`${name} is damaged: ${damage}`);
  for (const warning of warnings) out.warn(warning);
  if (rows.length === 0) {
    const where = runtime === 'ollama' ? 'in Ollama' : `in ${home.models}`;
    const source = runtime === 'ollama' ? 'NAME' : 'FILE.gguf';
    out.note(`No models ${where}. Bring one in: aixcl models add ${source}`);
  }
}

function columns(paint: Paint): Column<ModelObject>[] {
  const now = new Date();
  return [
    { title: 'Name', value: (row) => row.name },
    { title: 'Runtime', value: (row) => row.runtime },
    { title: 'Size', value: (row) => bytes(row.size), align: 'right' },
    { title: 'Quant', value: (row) => row.quantization ?? '-' },
    { title: 'Params', value: (row) => parameterText(row.parameters), align: 'right' },
    { title: 'Modified', value: (row) => ago(new Date(row.modified), now) },
    { title: 'State', value: (row) => stateText(row, paint) },
    { title: 'Source', value: (row) => row.source ?? '-' },
    {
      title: 'Last backup',
      value: (row) => (row.lastBackup === null ? 'never' : ago(new Date(row.lastBackup), now)),
    },
  ];
}

function stateText(row: ModelObject, paint: Paint): string {
  if (row.damaged) return paint.bad('damaged');
  if (row.standing === 'active') return paint.good('active');
  if (row.standing) return paint.warn(row.standing);
  return row.role === 'projector' || row.role === 'adapter' ? row.role : '';
}
