import type { Result } from '../../plan/step.ts';
import type { Column, Output, Paint } from '../context.ts';
import { plain } from './plain.ts';

export interface Streams {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
}

/** Data on stdout, everything else on stderr. */
export class Printer implements Output {
  readonly paint: Paint;
  readonly #format: 'table' | 'json';
  readonly #streams: Streams;
  readonly #stderrPaint: Paint;
  readonly #quiet: boolean;

  constructor(format: 'table' | 'json', streams: Streams, paint: Paint, stderrPaint: Paint, quiet: boolean) {
    this.#format = format;
    this.#streams = streams;
    this.paint = paint;
    this.#stderrPaint = stderrPaint;
    this.#quiet = quiet;
  }

  async list<T extends object>(
    type: string,
    items: readonly T[],
    columns: readonly Column<T>[],
  ): Promise<void> {
    if (this.#format === 'json') {
      for (const item of items) this.#json({ type, ...item });
      return;
    }
    const { table } = await import('./table.ts');
    this.line(table(items, columns));
  }

  item<T extends object>(type: string, value: T, text: () => string): void {
    if (this.#format === 'json') this.#json({ type, ...value });
    else this.line(text());
  }

  result(result: Result, text?: string): void {
    if (this.#format === 'json') this.#json({ type: 'result', ...result });
    else if (text) this.line(text);
  }

  line(text: string): void {
    this.#streams.stdout.write(`${text}\n`);
  }

  note(line: string): void {
    if (!this.#quiet) this.#streams.stderr.write(`${line}\n`);
  }

  warn(line: string): void {
    this.#streams.stderr.write(`${this.#stderrPaint.warn('warning:')} ${plain(line)}\n`);
  }

  #json(value: object): void {
    this.line(JSON.stringify(value));
  }
}
