import { modelsDirectoryAt } from '../../../adapters/models-directory/directory.ts';
import type { Column, Context, Paint } from '../../context.ts';
import { ago, bytes } from '../../output/quantity.ts';
import { describeModel, type ModelObject, parameterText } from './describe.ts';

/** `models list`: every GGUF model, from the disk alone. */
export async function list(context: Context): Promise<void> {
  const directory = modelsDirectoryAt(context.home.models);
  const [{ models, unusable }, activation] = await Promise.all([directory.list(), directory.activation()]);
  const rows = await Promise.all(models.map((model) => describeModel(model, activation, directory)));
  await context.out.list('model', rows, columns(context.out.paint));
  for (const { name, damage } of rows) if (damage) context.out.warn(`${name} is damaged: ${damage}`);
  for (const { name, why } of unusable) context.out.warn(`${name} is not shown: ${why}`);
  for (const problem of activation.problems) context.out.warn(problem);
  if (rows.length === 0)
    context.out.note(`No models in ${directory.path}. Bring one in: aixcl models add FILE.gguf`);
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
    { title: 'Last backup', value: (row) => row.lastBackup ?? 'never' },
  ];
}

function stateText(row: ModelObject, paint: Paint): string {
  if (row.damaged) return paint.bad('damaged');
  if (row.standing === 'active') return paint.good('active');
  if (row.standing) return paint.warn(row.standing);
  return row.role === 'projector' || row.role === 'adapter' ? row.role : '';
}
