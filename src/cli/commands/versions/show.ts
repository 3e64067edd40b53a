import type { Arguments } from 'yargs';
import { consolidatedFacts } from '../../../consolidate/consolidated-facts.ts';
import type { Axis } from '../../../models/evolution/points.ts';
import { type Series, summarizeSeries } from '../../../models/evolution/series.ts';
import { metricValues } from '../../../models/metric-values.ts';
import { versionFacts } from '../../../models/version-facts.ts';
import { shellWord } from '../../../shell-word.ts';
import { hexOf } from '../../../vault/digest.ts';
import type { Snapshot } from '../../../vault/snapshot.ts';
import { evolutionFiles, modelFiles } from '../../../vault/version-files.ts';
import { latestVersions } from '../../../vault/version-id.ts';
import { readableContents } from '../../../wiring/readable-vault.ts';
import { vaultOf } from '../../../wiring/vault.ts';
import { describeVersion } from '../../../wiring/versions/describe-version.ts';
import { readRun } from '../../../wiring/versions/evolution.ts';
import type { Context, Paint } from '../../context.ts';
import { chart, numberText } from '../../output/chart.ts';
import { oneLine, plain } from '../../output/plain.ts';
import { ago, bytes } from '../../output/quantity.ts';
import { versionNamed } from './choose.ts';
import { consolidatedText } from './consolidated-text.ts';

/** Metrics that are drawn for people; JSON has all. */
const mostCharts = 40;
const mostFiles = 20;

/** `versions show MODEL@v001`. */
export async function show(context: Context, argv: Arguments): Promise<void> {
  const vault = vaultOf(context);
  const contents = await readableContents(vault);
  const snapshot = await versionNamed(contents, String(argv['model-version']));
  const { series, problems } = await readRun(snapshot, vault, context.signal);
  for (const problem of problems) context.out.warn(`of its run is not drawn: ${problem}`);
  const value = shownValue(snapshot, latestVersions(contents.snapshots), series);
  context.out.item('version', value, () => textOf(value, series, context));
}

function shownValue(snapshot: Snapshot, latest: ReadonlySet<string>, series: readonly Series[]) {
  const { tool, adapter, baseModel, trainingData, metricsText, evolution } = versionFacts(snapshot.facts);
  const { architecture, parameters, quantization } = snapshot.facts;
  const shownFile = ({ path, size, digest }: Snapshot['files'][number]) => ({
    path,
    size,
    sha256: hexOf(digest),
  });
  return {
    ...describeVersion(snapshot, latest),
    digest: snapshot.digest,
    tool,
    baseModel,
    adapter,
    consolidated: consolidatedFacts(snapshot.facts),
    architecture: typeof architecture === 'string' ? architecture : null,
    parameters: typeof parameters === 'number' ? parameters : null,
    quantization: typeof quantization === 'string' ? quantization : null,
    metricsText,
    trainingData,
    evolution: evolution && {
      files: evolutionFiles(snapshot).map(shownFile),
      size: evolution.size,
      metrics: series.map((each) => ({
        ...summarizeSeries(each),
        values: each.values.map((value, index) => [each.places[index]!, value] as const),
      })),
    },
    files: modelFiles(snapshot).map(shownFile),
  };
}

type Shown = ReturnType<typeof shownValue>;

function textOf(value: Shown, series: readonly Series[], context: Context): string {
  const { paint } = context.out;
  const rows = rowsOf(value, paint);
  const width = Math.max(...rows.map(([title]) => title.length));
  const lines = rows.flatMap(([title, text]) =>
    (title === 'state' ? text : plain(text))
      .split('\n')
      .map((line, index) => `${paint.dim((index === 0 ? title : '').padEnd(width))}  ${line}`.trimEnd()),
  );
  const drawn = series.slice(0, mostCharts).flatMap((each) => ['', ...metricLines(each, context)]);
  const more = series.length - mostCharts;
  if (more > 0) {
    const what = more === 1 ? '1 more metric' : `${more} more metrics`;
    drawn.push('', `${what}: aixcl versions show ${shellWord(value.id)} --format json`);
  }
  return [...lines, ...drawn].join('\n');
}

function rowsOf(value: Shown, paint: Paint): [title: string, text: string][] {
  const { id, latest, damage, verified, baseModel, trainingData, evolution, files } = value;
  const state = damage
    ? paint.bad(`damaged: ${plain(damage)}`)
    : (verified && `verified ${verified}`) || paint.warn('not hashed');
  const about = [value.architecture, value.quantization].filter((each) => each !== null).join(', ');
  const rows: [string, string | null][] = [
    ['version', latest ? `${id} (latest)` : id],
    ['runtime', value.runtime],
    ['description', value.description],
    ['created', `${value.created} (${ago(new Date(value.created), new Date())})`],
    ['size', bytes(value.size)],
    ['state', state],
    ['model', about || null],
    ['adapter', adapterText(value)],
    ['made of', value.consolidated && consolidatedText(value.consolidated)],
    ['base model', baseModel && `${baseModel.name}  ${baseModel.digest ?? 'digest not known'}`],
    [
      'metrics',
      metricValues(value.metricsText ?? '')
        .map(({ name, text }) => `${name} ${text}`)
        .join('\n') || null,
    ],
    [
      'training data',
      some(trainingData.map(({ path, size, sha256 }) => `${path}  ${bytes(size)}  sha256:${sha256}`)) || null,
    ],
    ['evolution', evolution && `${filesText(evolution.files.length)}, ${bytes(evolution.size)}`],
    ['files', some(files.map(({ path, size, sha256 }) => `${path}  ${bytes(size)}  sha256:${sha256}`))],
    ['also in', value.places.join('\n') || null],
    ['made by', value.tool],
  ];
  return rows.flatMap(([title, text]) => (text === null ? [] : [[title, text]]));
}

function adapterText({ adapter }: Shown): string | null {
  if (!adapter) return null;
  const { format, method, rank, alpha, rankStabilized, tensors } = adapter;
  return [
    method ?? 'method not known',
    ...(rank === null ? [] : [`rank ${rank}`]),
    ...(alpha === null ? [] : [`alpha ${alpha}`]),
    ...(rankStabilized ? ['rank-stabilized'] : []),
    `${tensors} tensors`,
    format === 'peft' ? 'PEFT' : 'GGUF',
  ].join(', ');
}

function filesText(count: number): string {
  return `${count} ${count === 1 ? 'file' : 'files'}`;
}

function some(lines: readonly string[]): string {
  const more = lines.length - mostFiles;
  return [...lines.slice(0, mostFiles), ...(more > 0 ? [`and ${more} more`] : [])].join('\n');
}

/** What a metric came to, and how it got there. */
function metricLines(series: Series, { out: { paint } }: Context): string[] {
  const { name, axis, places, values } = series;
  const { points, first, last, min, max } = summarizeSeries(series);
  const odd = values.filter((each) => !Number.isFinite(each)).length;
  const run = [
    ...(first === null || last === null
      ? []
      : [points === 1 ? numberText(last) : `${numberText(first)} → ${numberText(last)}`]),
    ...(min === null || max === null || points < 3
      ? []
      : [`lowest ${numberText(min)}`, `highest ${numberText(max)}`]),
    `${points} ${points === 1 ? 'point' : 'points'}${axis && points > 1 ? ` by ${axis}` : ''}`,
    ...(odd > 0 ? [`${odd} not finite`] : []),
  ];
  const drawn =
    process.env.TERM === 'dumb'
      ? []
      : chart({
          places,
          values,
          width: Math.min(process.stdout.columns ?? 76, 76),
          height: 4,
          place: placeText(axis),
        });
  return [`${paint.bold(oneLine(name))}  ${paint.dim(run.join(', '))}`, ...drawn];
}

function placeText(axis: Axis | null): (place: number) => string {
  // Seconds or milliseconds since 1970, as what logs them has it; anything smaller was counted from the begin of the run.
  return (place) => {
    const milliseconds = place > 1e11 ? place : place * 1000;
    return axis === 'time' && place > 1e9 && milliseconds < 8.64e15
      ? new Date(milliseconds).toISOString().slice(0, 16).replace('T', ' ')
      : numberText(place);
  };
}
