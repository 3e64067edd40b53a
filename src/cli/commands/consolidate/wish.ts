import type { Arguments } from 'yargs';
import { type FloatType, isFloatType } from '../../../consolidate/float-types.ts';
import { needsImportanceMatrix } from '../../../consolidate/quantization.ts';
import { AixclError } from '../../../errors.ts';
import {
  isProjectorName,
  type ModelName,
  parseModelName,
  parseShardName,
  quoted,
} from '../../../models/model-name.ts';

/** What the user asked for. */
export interface ConsolidateWish {
  readonly base: string;
  readonly adapter: string;
  readonly output: ModelName;
  readonly description: string;
  readonly trainingData: readonly string[];
  readonly evolution: string | undefined;
  readonly metrics: string | undefined;
  readonly type: FloatType | undefined;
  readonly quantize: string | undefined;
  readonly mergeCommand: string | undefined;
  readonly removeAdapter: boolean;
}

/** Throws `usage` for what can't be meant. */
export function wishOf(argv: Arguments): ConsolidateWish {
  const text = (value: unknown) => (value === undefined ? undefined : String([value].flat().at(-1)));
  const demanded = (name: 'base' | 'adapter' | 'output' | 'description') => {
    const value = text(argv[name]) ?? '';
    if (value.trim() !== '') return value;
    throw new AixclError('usage', `--${name} is empty`, { hint: 'aixcl consolidate --help' });
  };
  const type = text(argv.type);
  const mergeCommand = text(argv.mergeCommand);
  if (mergeCommand !== undefined && type !== undefined) {
    throw new AixclError(
      'usage',
      '--type is for the built-in merge; what --merge-command writes is its own matter',
      {
        hint: 'Leave --type out.',
      },
    );
  }
  if (mergeCommand?.trim() === '') {
    throw new AixclError('usage', '--merge-command is empty', {
      hint: 'Leave it out, and a GGUF adapter is merged here.',
    });
  }
  return {
    base: demanded('base'),
    adapter: demanded('adapter'),
    output: outputName(demanded('output')),
    description: demanded('description'),
    trainingData: [argv.trainingData ?? []].flat().map(String),
    evolution: text(argv.evolution),
    metrics: text(argv.metrics),
    type: type !== undefined && isFloatType(type) ? type : undefined,
    quantize: quantization(text(argv.quantize)),
    mergeCommand,
    removeAdapter: argv.removeAdapter === true,
  };
}

function outputName(text: string): ModelName {
  const name = parseModelName(text.endsWith('.gguf') ? text : `${text}.gguf`);
  const why = isProjectorName(name)
    ? 'llama.cpp takes it for a projector'
    : parseShardName(name)
      ? 'it is that of one shard of several'
      : undefined;
  if (why === undefined) return name;
  throw new AixclError('usage', `${quoted(name)} is no name for a merged model: ${why}`, {
    hint: '--output NAME',
  });
}

function quantization(text: string | undefined): string | undefined {
  const type = text?.toUpperCase();
  if (type !== undefined && (isFloatType(type) || type === 'COPY')) {
    throw new AixclError('usage', `${type} is no quantization`, { hint: `--type ${type}` });
  }
  if (type !== undefined && needsImportanceMatrix(type)) {
    throw new AixclError('usage', `${type} takes an importance matrix, which aixcl does not make`, {
      hint: 'Consolidate without --quantize, then run llama-quantize --imatrix yourself.',
    });
  }
  return type;
}
