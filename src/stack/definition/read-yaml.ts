import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseAllDocuments,
  type YAMLMap,
  type Node as YamlNode,
  Scalar as YamlScalar,
} from 'yaml';
import type { Entry, MapNode, Mark, Node, Position } from './node.ts';
import type { Problems } from './problems.ts';
import { resolvePlain } from './yaml-scalar.ts';

/** Far above any real stack, far below what an alias bomb unfolds to. */
const maximumNodes = 100_000;

/**
 * The documents of a YAML file, with aliases and `<<` resolved. Empty documents are left out. Syntax errors, duplicate keys and
 * unknown anchors become problems.
 */
export function readYaml(source: string, file: string, problems: Problems): MapNode[] {
  const lines = new LineCounter();
  // With the failsafe schema the library resolves nothing itself: what plain scalars mean is Compose's to say.
  const documents = parseAllDocuments(source, {
    schema: 'failsafe',
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false,
  });
  const roots: MapNode[] = [];
  for (const document of documents as Document.Parsed[]) {
    for (const error of document.errors) {
      const { line, col } = lines.linePos(error.pos[0]);
      problems.add({ file, line, column: col, path: '' }, `YAML: ${error.message}`);
    }
    if (document.errors.length > 0 || !document.contents) continue;
    const root = new Converter(file, lines, problems).convert(document.contents, '');
    if (root.kind === 'map') roots.push(root);
    else if (!(root.kind === 'scalar' && root.value === null)) {
      problems.add(root.at, 'the file must hold a mapping (services:, volumes:, …)');
    }
  }
  return roots;
}

class Converter {
  readonly #file: string;
  readonly #lines: LineCounter;
  readonly #problems: Problems;
  readonly #anchors = new Map<string, YamlNode>();
  readonly #open = new Set<YamlNode>();
  #count = 0;

  constructor(file: string, lines: LineCounter, problems: Problems) {
    this.#file = file;
    this.#lines = lines;
    this.#problems = problems;
  }

  convert(node: YamlNode | null | undefined, path: string, place?: YamlNode): Node {
    const at = this.#position(node ?? place, path);
    if (this.#count++ > maximumNodes) {
      if (this.#count === maximumNodes + 2) this.#problems.add(at, 'too large: aliases unfold without end');
      return { kind: 'scalar', value: null, text: '', at };
    }
    if (isAlias(node)) return this.#alias(node, path, at);
    if (node && 'anchor' in node && typeof node.anchor === 'string') this.#anchors.set(node.anchor, node);
    const marked = markOf(node);
    if (isMap(node) || isSeq(node)) {
      if (this.#open.has(node)) {
        this.#problems.add(at, 'an alias that contains itself');
        return { kind: 'scalar', value: null, text: '', at };
      }
      this.#open.add(node);
      const converted: Node = isMap(node)
        ? { kind: 'map', entries: this.#entries(node, path), at, ...marked }
        : {
            kind: 'list',
            // Compose takes an item with `!reset` out of its own list; in the list of an earlier file it has no meaning.
            items: node.items
              .map((item, index) => this.convert(item as YamlNode, `${path}[${index}]`, node))
              .filter((item) => item.mark !== 'reset'),
            at,
            ...marked,
          };
      this.#open.delete(node);
      return converted;
    }
    return { kind: 'scalar', ...scalarValue(node), at, ...marked };
  }

  #alias(alias: Alias, path: string, at: Position): Node {
    const target = this.#anchors.get(alias.source);
    if (target) return this.convert(target, path);
    this.#problems.add(at, `no anchor &${alias.source} before this alias`);
    return { kind: 'scalar', value: null, text: '', at };
  }

  #entries(node: YAMLMap, path: string): Map<string, Entry> {
    const own = new Map<string, Entry>();
    const merged: Entry[] = [];
    for (const pair of node.items as Pair<YamlNode, YamlNode | null>[]) {
      const key = isScalar(pair.key) ? String(pair.key.value ?? '') : '';
      const keyPath = path ? `${path}.${key}` : key;
      const keyAt = this.#position(pair.key, keyPath);
      if (key === '<<' && isScalar(pair.key) && pair.key.type === YamlScalar.PLAIN) {
        merged.push({ key: keyAt, value: this.convert(pair.value, path, pair.key) });
        continue;
      }
      if (isScalar(pair.key) && typeof scalarValue(pair.key).value !== 'string') {
        this.#problems.add(keyAt, 'a key that is no string: put it into quotes');
      }
      const first = own.get(key);
      if (first) {
        this.#problems.add(keyAt, `this key stands already at ${first.key.line}:${first.key.column}`);
        continue;
      }
      own.set(key, { key: keyAt, value: this.convert(pair.value, keyPath, pair.key) });
    }
    return this.#merge(own, merged);
  }

  /** `<<`: own keys win over merged ones, and earlier ones of a list over later ones. */
  #merge(own: Map<string, Entry>, merged: readonly Entry[]): Map<string, Entry> {
    if (merged.length === 0) return own;
    const result = new Map<string, Entry>();
    for (const { key, value } of merged) {
      for (const source of value.kind === 'list' ? value.items : [value]) {
        if (source.kind !== 'map') {
          this.#problems.add(key, '<<: merges a mapping, or a list of mappings');
          continue;
        }
        for (const [name, entry] of source.entries) if (!result.has(name)) result.set(name, entry);
      }
    }
    for (const [name, entry] of own) result.set(name, entry);
    return result;
  }

  #position(node: YamlNode | null | undefined, path: string): Position {
    const { line, col } = this.#lines.linePos(node?.range?.[0] ?? 0);
    return { file: this.#file, line: Math.max(line, 1), column: Math.max(col, 1), path };
  }
}

function markOf(node: YamlNode | null | undefined): { mark?: Mark } {
  const tag = node && 'tag' in node ? node.tag : undefined;
  if (tag === '!reset') return { mark: 'reset' };
  if (tag === '!override') return { mark: 'override' };
  return {};
}

function scalarValue(node: YamlNode | null | undefined) {
  if (!isScalar(node)) return resolvePlain('');
  const written = String(node.value ?? '');
  const quoted = node.type !== YamlScalar.PLAIN || node.tag === 'tag:yaml.org,2002:str';
  return quoted ? { value: written, text: written } : resolvePlain(written);
}
