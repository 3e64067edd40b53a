/** How the files that somebody chose together make models. */

export interface Chosen {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
}

/** `file`: a model of its own. `shards`: parts of one. `pair`: a model with its image or audio encoder. */
export interface Proposal<F extends Chosen = Chosen> {
  readonly kind: 'file' | 'shards' | 'pair';
  /** Of the file, or of the folder that several make. */
  readonly name: string;
  readonly files: readonly F[];
  /** How many files the whole model has: more than were chosen where shards are missing. */
  readonly parts: number;
}

/** A lone encoder goes with the only model that was chosen beside it. Whichever of several it belongs to can't be told. */
export function propose<F extends Chosen>(files: readonly F[]): Proposal<F>[] {
  const proposals = gather(files);
  const projectors = proposals.filter(({ name }) => isProjector(name));
  const models = proposals.filter(({ name }) => !isProjector(name));
  const [projector] = projectors;
  const [model] = models;
  if (!projector || !model || projectors.length > 1 || models.length > 1) return proposals;
  return [
    {
      kind: model.kind === 'shards' ? 'shards' : 'pair',
      name: model.kind === 'shards' ? model.name : stem(model.name),
      files: [...model.files, ...projector.files],
      parts: model.parts + 1,
    },
  ];
}

/** Its files as models of their own. */
export function apart<F extends Chosen>({ files }: Proposal<F>): Proposal<F>[] {
  return files.map((file) => ({ kind: 'file', name: file.name, files: [file], parts: 1 }));
}

function gather<F extends Chosen>(files: readonly F[]): Proposal<F>[] {
  const found = new Map<string, Proposal<F>>();
  for (const file of files) {
    const shard = shardOf(file.name);
    const key = shard ? `${shard.stem}/${shard.count}` : file.name;
    const before = found.get(key);
    if (before?.files.some(({ name }) => name === file.name)) continue;
    found.set(key, {
      kind: shard ? 'shards' : 'file',
      name: shard?.stem ?? file.name,
      files: [...(before?.files ?? []), file],
      parts: shard?.count ?? 1,
    });
  }
  return [...found.values()];
}

function shardOf(name: string): { stem: string; count: number } | null {
  const match = /^(.+)-(\d{5})-of-(\d{5})\.gguf$/.exec(name);
  return match ? { stem: match[1]!, count: Number(match[3]) } : null;
}

/** By llama.cpp's habit of naming it. */
function isProjector(name: string): boolean {
  return /^mmproj.*\.gguf$/i.test(name) || /[-._]mmproj[-._].*\.gguf$/i.test(name);
}

function stem(name: string): string {
  return name.replace(/\.gguf$/i, '');
}
