import { InterpolationError, interpolate } from './interpolation.ts';
import type { MapNode, Node } from './node.ts';
import type { Problems } from './problems.ts';

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly problems: Problems;
  readonly warn: (line: string) => void;
}

/** Interpolates every string value of a file; keys are left as they are. */
export function interpolateTree(root: MapNode, surroundings: Surroundings): MapNode {
  return walk(root, surroundings) as MapNode;
}

function walk(node: Node, surroundings: Surroundings): Node {
  // What `!reset` takes away needs no value.
  if (node.mark === 'reset') return node;
  if (node.kind === 'list') return { ...node, items: node.items.map((item) => walk(item, surroundings)) };
  if (node.kind === 'map') {
    const entries = new Map(node.entries);
    for (const [key, entry] of entries)
      entries.set(key, { ...entry, value: walk(entry.value, surroundings) });
    return { ...node, entries };
  }
  if (typeof node.value !== 'string' || !node.value.includes('$')) return node;
  try {
    const value = interpolate(node.value, {
      get: (name) => surroundings.env[name],
      missing: (name) =>
        surroundings.warn(
          `The variable ${name} is not set; ${node.at.file}:${node.at.line} (${node.at.path}) gets an empty text for it`,
        ),
    });
    return { ...node, value, text: value };
  } catch (error) {
    if (!(error instanceof InterpolationError)) throw error;
    const variable = /^required variable (\S+)/.exec(error.message)?.[1];
    surroundings.problems.add(
      node.at,
      error.message,
      variable ? `set ${variable} in the environment or in .env` : undefined,
    );
    return node;
  }
}
