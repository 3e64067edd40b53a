/** What a volume holds. What nobody knows is as precious as models. */
export type VolumeContents = 'models' | 'state' | 'disposable' | 'unknown';

/** All that tells what a volume holds. */
export interface ContentsEvidence {
  /** The label `io.aixcl.holds`: of its definition first, then of the volume itself. */
  readonly labels: readonly (string | undefined)[];
  /** True where a container, running or not, or a service mounts it at a path where an Ollama keeps its models. */
  readonly atModelsPath: boolean;
  /** True when `models/manifests` beside `models/blobs` was seen in it. Undefined: nobody looked. */
  readonly modelsSeen: boolean | undefined;
}

/** Models that were seen, or whose place it is, count more than any label; a label that says nothing known counts for nothing. */
export function contentsOf({ labels, atModelsPath, modelsSeen }: ContentsEvidence): VolumeContents {
  if (modelsSeen || atModelsPath) return 'models';
  return labels.find(isContents) ?? 'unknown';
}

function isContents(label: string | undefined): label is VolumeContents {
  return label === 'models' || label === 'state' || label === 'disposable';
}
