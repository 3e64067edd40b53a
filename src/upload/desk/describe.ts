import { AixclError } from '../../errors.ts';
import { assertServable } from '../../models/activate.ts';
import { type Activation, activeModel, pendingRequest } from '../../models/active-model.ts';
import type { Model } from '../../models/model.ts';
import { shellWord } from '../../shell-word.ts';
import type { Subject } from '../../vault/subject.ts';
import { ggufObject } from '../../wiring/models/describe-model.ts';
import type { PageActivation, PageModel } from '../api.ts';
import type { SeenModel } from './gguf-models.ts';
import type { SeenOllamaModel } from './ollama.ts';

type LastBackup = (subject: Subject) => Date | null;

export function describeGguf(
  { model, records }: SeenModel,
  activation: Activation,
  lastBackup: LastBackup,
): PageModel {
  const { name, runtime, size, digest, modified, active, architecture, standing, role, ...object } =
    ggufObject(model, activation, records);
  return {
    name,
    runtime: 'llama-server',
    architecture,
    parameters: object.parameters,
    quantization: object.quantization,
    contextLength: model.summary?.contextLength ?? null,
    size,
    files: model.files.map(({ path }) => path),
    digest,
    fileDigests: model.files.map((_, index) => {
      const record = records[index];
      return record ? `sha256:${record.sha256}` : null;
    }),
    modified,
    active,
    standing,
    role,
    source: sourceOf(records),
    lastBackup: lastBackup({ runtime, name })?.toISOString() ?? null,
    damage: object.damage,
    notActivatable: whyNotServable(model),
    notRemovable:
      standing === null ? null : `llama-server ${standing === 'active' ? 'serves' : 'is to serve'} it`,
    commands: commandsOf(model, standing !== null),
  };
}

/** What has a record and no address came in here as a file. */
function sourceOf(records: SeenModel['records']): string | null {
  const known = records.filter((record) => record !== undefined);
  if (known.length === 0 || known.length < records.length) return null;
  const addresses = known.flatMap(({ source }) => source ?? []);
  if (addresses.length === 0) return 'this machine';
  return addresses.length === known.length ? addresses[0]! : null;
}

function whyNotServable(model: Model): string | null {
  try {
    assertServable(model);
    return null;
  } catch (error) {
    if (error instanceof AixclError) return error.message;
    throw error;
  }
}

function commandsOf({ name, damage, summary }: Model, standing: boolean): PageModel['commands'] {
  const word = shellWord(name);
  const commands: { what: string; command: string }[] = [];
  if (damage !== null) commands.push({ what: 'repair', command: `aixcl models verify ${word} --repair` });
  if (summary?.role === 'projector') {
    commands.push({ what: 'use with a model', command: `aixcl models set MODEL --mmproj ${word}` });
  }
  if (standing)
    commands.push({ what: 'delete all the same', command: `aixcl models remove ${word} --force` });
  return commands;
}

export function describeOllama(model: SeenOllamaModel, lastBackup: LastBackup): PageModel {
  const { name, architecture, parameters, quantization, contextLength, size, digest, modified } = model;
  const word = shellWord(name);
  return {
    name,
    runtime: 'ollama',
    architecture,
    parameters,
    quantization,
    contextLength,
    size,
    files: [],
    digest: digest === '' ? null : `sha256:${digest}`,
    fileDigests: [],
    modified: modified.toISOString(),
    active: false,
    standing: null,
    role: null,
    source: null,
    lastBackup: lastBackup({ runtime: 'ollama', name })?.toISOString() ?? null,
    damage: null,
    notActivatable: 'Ollama loads its models when they are asked for',
    notRemovable: "Ollama's models are deleted on the command line",
    commands: [
      { what: 'update', command: `aixcl models add ${word}` },
      { what: 'back up', command: `aixcl backups create ${word}` },
      { what: 'delete', command: `aixcl models remove ${word}` },
    ],
  };
}

/** `runs`: whether llama-server's container does; what its entrypoint wrote last tells of no phase else. */
export function describeActivation(activation: Activation, runs: boolean): PageActivation {
  const { state } = activation;
  const pending = pendingRequest(activation);
  // What stands in the state is the outcome of an older wish.
  const newer = pending !== undefined && pending.id !== state?.request;
  const busy = runs && (state?.phase === 'loading' || state?.phase === 'switching');
  return {
    active: activeModel(activation) ?? null,
    phase: runs ? (state?.phase ?? null) : null,
    loading: busy ? (state.model ?? null) : null,
    wanted: pending?.name ?? state?.want ?? null,
    result: newer ? 'pending' : (state?.result ?? null),
    reason: newer ? null : (state?.reason ?? null),
    log: newer ? [] : (state?.log ?? []),
  };
}
