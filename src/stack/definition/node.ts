/**
 * A Compose file as a tree in which every value remembers where it was written, so that an error found at any later stage
 * (after interpolation, expansion, merging) still names its own file, line and column.
 */
export interface Position {
  /** As the user named it. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** Where the value stands in the definition: `services.web.ports[0]`. */
  readonly path: string;
}

export type Scalar = string | number | boolean | null;

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly value: Scalar;
  /** The value as Compose prints it where it wants a string: `0o17` is `15`, `1.10` is `1.1`. */
  readonly text: string;
  readonly at: Position;
  readonly mark?: Mark;
}

export interface ListNode {
  readonly kind: 'list';
  readonly items: readonly Node[];
  readonly at: Position;
  readonly mark?: Mark;
}

export interface MapNode {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, Entry>;
  readonly at: Position;
  readonly mark?: Mark;
}

/** `!reset`: takes away what earlier files said. `!override`: replaces it instead of being merged with it. */
export type Mark = 'reset' | 'override';

export type Node = ScalarNode | ListNode | MapNode;

export interface Entry {
  readonly key: Position;
  readonly value: Node;
}

export function scalar(value: Scalar, at: Position): ScalarNode {
  return { kind: 'scalar', value, text: value === null ? '' : String(value), at };
}

export function list(items: readonly Node[], at: Position): ListNode {
  return { kind: 'list', items, at };
}

/** A map whose keys were not written by anyone: they stand where the whole stands. */
export function map(values: Readonly<Record<string, Node | undefined>>, at: Position): MapNode {
  const entries = new Map<string, Entry>();
  for (const [key, value] of Object.entries(values)) if (value) entries.set(key, { key: value.at, value });
  return { kind: 'map', entries, at };
}

/** The value under `key`, where `node` is a map that has it and it is not null. */
export function child(node: Node | undefined, key: string): Node | undefined {
  if (node?.kind !== 'map') return undefined;
  const value = node.entries.get(key)?.value;
  return value && isNull(value) ? undefined : value;
}

export function items(node: Node | undefined): readonly Node[] {
  return node?.kind === 'list' ? node.items : [];
}

export function entries(node: Node | undefined): Iterable<[string, Entry]> {
  return node?.kind === 'map' ? node.entries : [];
}

/** Text of a scalar; undefined for null, lists and maps. */
export function text(node: Node | undefined): string | undefined {
  return node?.kind === 'scalar' && node.value !== null ? node.text : undefined;
}

export function texts(node: Node | undefined): string[] {
  return items(node).flatMap((item) => text(item) ?? []);
}

export function isNull(node: Node): boolean {
  return node.kind === 'scalar' && node.value === null;
}

/** The same map with one value replaced, the key keeping its place. */
export function withChild(node: MapNode, key: string, value: Node): MapNode {
  const entry = node.entries.get(key);
  return { ...node, entries: new Map(node.entries).set(key, { key: entry?.key ?? value.at, value }) };
}

/** The values alone, without what `!reset` takes away. */
export function toPlain(node: Node): unknown {
  if (node.kind === 'list') return node.items.map(toPlain);
  if (node.kind === 'scalar') return node.value;
  // Without a prototype, so that no key of a file has a meaning of JavaScript's.
  const plain: Record<string, unknown> = Object.create(null);
  for (const [key, entry] of node.entries)
    if (entry.value.mark !== 'reset') plain[key] = toPlain(entry.value);
  return plain;
}
