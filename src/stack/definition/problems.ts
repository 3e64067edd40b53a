import { AixclError } from '../../errors.ts';
import type { Position } from './node.ts';

interface Problem {
  readonly at: Position;
  readonly line: string;
  readonly hint: string | undefined;
}

/** Gathers what is wrong with a definition, so that one run names all of it. */
export class Problems {
  readonly #problems: Problem[] = [];

  add(at: Position, message: string, hint?: string): void {
    const what = at.path ? `${at.path}: ${message}` : message;
    const line = `${at.file}:${at.line}:${at.column}: ${what}`;
    // An anchor that is used twice is wrong once.
    if (this.#problems.some((other) => other.line === line)) return;
    this.#problems.push({ at, line, hint });
  }

  get none(): boolean {
    return this.#problems.length === 0;
  }

  /** Throws `usage` with the first problem, in the order of files and lines, as message and the others as evidence. */
  throwIfAny(): void {
    if (this.none) return;
    const files = [...new Set(this.#problems.map((problem) => problem.at.file))];
    const sorted = this.#problems.toSorted(
      (a, b) =>
        files.indexOf(a.at.file) - files.indexOf(b.at.file) ||
        a.at.line - b.at.line ||
        a.at.column - b.at.column,
    );
    const [first, ...rest] = sorted;
    throw new AixclError('usage', first!.line, {
      hint: first!.hint ?? 'correct the file, then run the command again',
      evidence: rest.map((problem) => (problem.hint ? `${problem.line} (${problem.hint})` : problem.line)),
    });
  }
}
