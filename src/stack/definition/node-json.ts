import type { Entry, MapNode, Mark, Node, Position, Scalar } from './node.ts';

/** A tree as JSON, without the file's name: the same content may be read under another one. */
type Json =
  | readonly ['s', Place, Mark | 0, Scalar, string]
  | readonly ['l', Place, Mark | 0, readonly Json[]]
  | readonly ['m', Place, Mark | 0, readonly (readonly [key: string, at: Place, value: Json])[]];
type Place = readonly [line: number, column: number, path: string];

export function treesToJson(roots: readonly MapNode[]): string {
  return JSON.stringify(roots.map(toJson));
}

/** What `treesToJson` wrote, as a file of this name. */
export function treesFromJson(json: string, file: string): MapNode[] {
  return (JSON.parse(json) as Json[]).map((root) => fromJson(root, file) as MapNode);
}

function toJson(node: Node): Json {
  const place = toPlace(node.at);
  const mark = node.mark ?? 0;
  if (node.kind === 'scalar') return ['s', place, mark, node.value, node.text];
  if (node.kind === 'list') return ['l', place, mark, node.items.map(toJson)];
  const entries = [...node.entries].map(
    ([key, entry]) => [key, toPlace(entry.key), toJson(entry.value)] as const,
  );
  return ['m', place, mark, entries];
}

function fromJson(json: Json, file: string): Node {
  const at = fromPlace(json[1], file);
  const marked = json[2] === 0 ? {} : { mark: json[2] };
  if (json[0] === 's') return { kind: 'scalar', value: json[3], text: json[4], at, ...marked };
  if (json[0] === 'l') {
    return { kind: 'list', items: json[3].map((item) => fromJson(item, file)), at, ...marked };
  }
  const entries = new Map<string, Entry>();
  for (const [key, place, value] of json[3]) {
    entries.set(key, { key: fromPlace(place, file), value: fromJson(value, file) });
  }
  return { kind: 'map', entries, at, ...marked };
}

function toPlace({ line, column, path }: Position): Place {
  return [line, column, path];
}

function fromPlace([line, column, path]: Place, file: string): Position {
  return { file, line, column, path };
}
