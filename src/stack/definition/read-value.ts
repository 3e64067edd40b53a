import { type Node, text } from './node.ts';
import type { Problems } from './problems.ts';
import { parseBytes, parseDuration } from './quantities.ts';
import { splitWords } from './shell-words.ts';

/** Reads values out of a checked tree. A value that says nothing usable becomes a problem, and reads as absent. */
export class ValueReader {
  readonly #problems: Problems;

  constructor(problems: Problems) {
    this.#problems = problems;
  }

  /** A boolean, also as the text that interpolation left: `true`, and YAML 1.1's `yes`, `on`, `y`. */
  flag(node: Node | undefined): boolean | undefined {
    const written = text(node)?.toLowerCase();
    if (written === undefined) return undefined;
    if (['true', 'yes', 'on', 'y'].includes(written)) return true;
    if (['false', 'no', 'off', 'n'].includes(written)) return false;
    return this.#wrong(node!, 'must be true or false');
  }

  integer(node: Node | undefined, minimum = Number.MIN_SAFE_INTEGER): number | undefined {
    const written = text(node);
    if (written === undefined) return undefined;
    if (/^-?\d+$/.test(written) && Number(written) >= minimum) return Number(written);
    return this.#wrong(node!, minimum === 0 ? 'must be a whole number from 0 on' : 'must be a whole number');
  }

  number(node: Node | undefined): number | undefined {
    const written = text(node);
    if (written === undefined) return undefined;
    const value = Number(written);
    if (written.trim() !== '' && Number.isFinite(value) && value >= 0) return value;
    return this.#wrong(node!, 'must be a number from 0 on');
  }

  /** Milliseconds. */
  duration(node: Node | undefined): number | undefined {
    const written = text(node);
    if (written === undefined) return undefined;
    return parseDuration(written) ?? this.#wrong(node!, 'must be a duration like 1m30s, 5s, 250ms');
  }

  /** Bytes. */
  bytes(node: Node | undefined): number | undefined {
    const written = text(node);
    if (written === undefined) return undefined;
    return parseBytes(written) ?? this.#wrong(node!, 'must be a size like 512m, 1gb, 65536');
  }

  oneOf<Word extends string>(node: Node | undefined, words: readonly Word[]): Word | undefined {
    const written = text(node);
    if (written === undefined) return undefined;
    return words.find((word) => word === written) ?? this.#wrong(node!, `must be ${words.join(', ')}`);
  }

  /** A command: a list as it stands, a text split into words; undefined for null, so that the image's own applies. */
  words(node: Node | undefined): string[] | undefined {
    if (node?.kind === 'list') return node.items.map((item) => text(item) ?? '');
    const line = text(node);
    if (line === undefined) return undefined;
    const words = splitWords(line);
    return typeof words === 'string' ? this.#wrong(node!, words) : words;
  }

  #wrong(node: Node, expected: string): undefined {
    this.#problems.add(node.at, node.kind === 'scalar' ? `"${node.text}": ${expected}` : expected);
    return undefined;
  }
}
