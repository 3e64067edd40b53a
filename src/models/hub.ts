import { AixclError } from '../errors.ts';
import type { Location } from './intake.ts';
import { isProjectorName, parseShardName, quoted, shardName } from './model-name.ts';

/** The port to the Hub, a host of model repositories. Throws `notFound`, `refused` (not for everyone) or `unexpected`. */
export interface Hub {
  /** Every file of a repository at its newest revision. */
  files(repo: string, signal: AbortSignal): Promise<readonly HubFile[]>;
  /** Where a file of it can be fetched. */
  locate(repo: string, path: string): Location;
}

export interface HubFile {
  /** In the repository, with `/` between folders. */
  readonly path: string;
  readonly size: number;
  /** 64 hex digits; null of a file that the Hub keeps without one. */
  readonly sha256: string | null;
}

export interface HubChoice {
  /** Of the model: what its folder or its one file is called. */
  readonly name: string;
  readonly folder: boolean;
  /** Its shards in order, and its projector. */
  readonly files: readonly HubFile[];
}

/** Of a repository that wants to know who asks. */
export function notForEveryone(why: string): AixclError {
  return new AixclError('refused', why, {
    hint: 'Ask for access on its page, then: HF_TOKEN=… aixcl models add …',
  });
}

interface Build {
  /** What people choose it by: `Q4_K_M`, or its file name where that holds no quantization. */
  readonly label: string;
  /** Path without the shard's number and without `.gguf`. */
  readonly stem: string;
  readonly shards: readonly HubFile[];
}

/** Which files of a repository make the model that was asked for; throws `usage` or `notFound` with what there is. */
export function chooseBuild(repo: string, files: readonly HubFile[], choice: string | null): HubChoice {
  const models = files.filter(({ path }) => path.endsWith('.gguf') && !isProjectorName(baseOf(path)));
  const builds = buildsOf(models);
  if (builds.length === 0) {
    throw new AixclError('notFound', `hf.co/${repo} holds no GGUF model`, {
      hint: 'Repositories with GGUF files mostly end in -GGUF.',
    });
  }
  const build = pick(repo, builds, choice);
  assertWhole(repo, build);
  const projector = projectorFor(build, files);
  const folder = build.shards.length > 1 || projector !== undefined;
  const stem = baseOf(build.stem);
  return {
    name: folder ? stem : `${stem}.gguf`,
    folder,
    files: projector ? [...build.shards, projector] : build.shards,
  };
}

function pick(repo: string, builds: readonly Build[], choice: string | null): Build {
  const there = `There are: ${[...new Set(builds.map(({ label }) => label))].sort().join(', ')}`;
  const hint = (label: string) => `aixcl models add --runtime llama-server hf.co/${repo}:${label}`;
  if (choice === null) {
    if (builds.length === 1) return builds[0]!;
    throw new AixclError('usage', `hf.co/${repo} holds several builds of its model. ${there}`, {
      hint: hint(builds[0]!.label),
    });
  }
  const wanted = choice.toLowerCase();
  const found = builds.filter(
    ({ label, stem, shards }) =>
      label.toLowerCase() === wanted ||
      baseOf(stem).toLowerCase() === wanted ||
      shards.some(({ path }) => path.toLowerCase() === wanted || baseOf(path).toLowerCase() === wanted),
  );
  if (found.length === 1) return found[0]!;
  if (found.length === 0) {
    throw new AixclError('notFound', `hf.co/${repo} has no ${quoted(choice)}. ${there}`, {
      hint: hint(builds[0]!.label),
    });
  }
  const names = found.map(({ shards }) => shards[0]!.path);
  throw new AixclError('usage', `${quoted(choice)} is several models of hf.co/${repo}: ${names.join(', ')}`, {
    hint: hint(baseOf(names[0]!)),
  });
}

function buildsOf(files: readonly HubFile[]): Build[] {
  const byStem = new Map<string, HubFile[]>();
  for (const file of files) {
    const shard = parseShardName(baseOf(file.path));
    const stem = shard ? folderOf(file.path) + shard.stem : file.path.replace(/\.gguf$/, '');
    byStem.set(stem, [...(byStem.get(stem) ?? []), file]);
  }
  return [...byStem]
    .map(([stem, shards]) => ({
      label: quantizationIn(stem) ?? baseOf(stem),
      stem,
      shards: shards.sort((a, b) => (a.path < b.path ? -1 : 1)),
    }))
    .sort((a, b) => (a.stem < b.stem ? -1 : 1));
}

/** `UD-Q4_K_XL`, `IQ2_XXS`, `BF16`, …, as it ends a file's name or is its folder's. */
const quantization =
  /(?:^|[-._/])((?:UD-)?(?:I?Q\d(?:_[A-Z0-9]+)*|TQ\d_\d|MXFP4(?:_[A-Z]+)?|BF16|F16|F32|FP16|FP32))$/i;

function quantizationIn(stem: string): string | undefined {
  return (quantization.exec(stem) ?? quantization.exec(folderOf(stem).replace(/\/$/, '')))?.[1];
}

function assertWhole(repo: string, { shards }: Build): void {
  const shard = parseShardName(baseOf(shards[0]!.path));
  if (!shard) return;
  const folder = folderOf(shards[0]!.path);
  for (let number = 1; number <= shard.count; number++) {
    const path = folder + shardName({ ...shard, number });
    if (shards.some((each) => each.path === path)) continue;
    throw new AixclError('notFound', `hf.co/${repo} lacks ${quoted(path)}, a shard of this model`, {
      hint: 'Choose another build, or tell the owner of the repository.',
    });
  }
}

/** The encoder beside a model: of the same folder or at the top; of several the one of the same quantization, else F16 and its like. */
function projectorFor(build: Build, files: readonly HubFile[]): HubFile | undefined {
  const all = files.filter(({ path }) => path.endsWith('.gguf') && isProjectorName(baseOf(path)));
  const near = all.filter(({ path }) => folderOf(path) === folderOf(build.stem));
  const candidates = near.length > 0 ? near : all.filter(({ path }) => folderOf(path) === '');
  const rank = (file: HubFile) => {
    const label = quantizationIn(file.path.replace(/\.gguf$/, ''))?.toUpperCase();
    if (label === build.label.toUpperCase()) return 0;
    const place = ['F16', 'FP16', 'BF16', 'Q8_0', 'F32', 'FP32'].indexOf(label ?? '');
    return place < 0 ? 10 : place + 1;
  };
  return [...candidates].sort((a, b) => rank(a) - rank(b) || (a.path < b.path ? -1 : 1))[0];
}

function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** With its slash; empty at the top. */
function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1);
}
