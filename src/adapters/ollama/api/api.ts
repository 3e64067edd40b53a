import type { IncomingMessage } from 'node:http';
import { AixclError } from '../../../errors.ts';
import { assertReachable } from '../../../models/ollama/name.ts';
import type { ListedModel, OllamaDetails, OllamaRuntime, PullLine } from '../../../models/ollama/runtime.ts';
import { detailsOf, listedModel, type ShowAnswer, type TagsAnswer } from './details.ts';
import { type Call, defaultPatience, Exchange, type Patience } from './exchange.ts';
import { pullFailure } from './pull-failure.ts';

/** The Ollama that listens at `address` (`http://127.0.0.1:11434`). Nothing is asked of it yet. */
export function ollamaApi(address: string, patience: Patience = defaultPatience): OllamaRuntime {
  return new OllamaApi(new Exchange(address, patience));
}

class OllamaApi implements OllamaRuntime {
  readonly #exchange: Exchange;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  get address(): string {
    return this.#exchange.address;
  }

  async version(): Promise<string> {
    const { version } = await this.#ask<{ version?: string }>({
      method: 'GET',
      path: '/api/version',
      silence: 'failure',
    });
    return version ?? '';
  }

  async names(): Promise<string[]> {
    return (await this.#tags()).map(({ name }) => name);
  }

  async digests(): Promise<ReadonlyMap<string, string>> {
    return new Map((await this.#tags()).map(({ name, digest }) => [name, digest ?? '']));
  }

  async list(): Promise<ListedModel[]> {
    return (await this.#tags()).map(listedModel);
  }

  async #tags(): Promise<readonly TagsAnswer[]> {
    const { models } = await this.#ask<{ models?: readonly TagsAnswer[] | null }>({
      method: 'GET',
      path: '/api/tags',
      silence: 'failure',
    });
    return models ?? [];
  }

  async show(name: string): Promise<OllamaDetails> {
    assertReachable(name);
    const body = { model: name };
    return detailsOf(
      await this.#ask<ShowAnswer>({ method: 'POST', path: '/api/show', body, silence: 'failure' }, name),
    );
  }

  async *pull(
    name: string,
    { insecure, signal }: { readonly insecure: boolean; readonly signal: AbortSignal },
  ): AsyncGenerator<PullLine> {
    assertReachable(name);
    const answer = await this.#exchange.send({
      method: 'POST',
      path: '/api/pull',
      body: { model: name, insecure, stream: true },
      signal,
      silence: 'work',
    });
    if (answer.statusCode !== 200) throw this.#failure(answer, await this.#text(answer), name);
    let last = '';
    for await (const line of this.#lines(answer, signal)) {
      if (line.error !== undefined) throw pullFailure(name, line.error);
      last = line.status ?? '';
      yield pullLine(line);
    }
    if (last !== 'success') {
      throw new AixclError('unexpected', `Ollama ended the pull of ${name} before it was done`, {
        hint: 'aixcl service logs ollama',
      });
    }
  }

  async delete(name: string): Promise<void> {
    assertReachable(name);
    await this.#ask({ method: 'DELETE', path: '/api/delete', body: { model: name }, silence: 'work' }, name);
  }

  async copy(source: string, target: string): Promise<void> {
    assertReachable(target);
    const body = { source, destination: target };
    await this.#ask({ method: 'POST', path: '/api/copy', body, silence: 'work' }, source);
  }

  /** JSON of an answer with status 200; `{}` where it has no body. */
  async #ask<T>(call: Call, name?: string): Promise<T> {
    const answer = await this.#exchange.send(call);
    const text = await this.#text(answer);
    if (answer.statusCode !== 200) throw this.#failure(answer, text, name);
    const value = text.trim() === '' ? {} : this.#json<T & { error?: string }>(text);
    if ('error' in value && value.error) throw this.#refusal(String(value.error), name);
    return value as T;
  }

  async #text(answer: IncomingMessage): Promise<string> {
    const parts: Buffer[] = [];
    for await (const part of this.#exchange.read(answer)) parts.push(part);
    return Buffer.concat(parts).toString('utf8');
  }

  async *#lines(
    answer: IncomingMessage,
    signal: AbortSignal,
  ): AsyncGenerator<{
    status?: string;
    digest?: string;
    total?: number;
    completed?: number;
    error?: string;
  }> {
    let rest = '';
    const decoder = new TextDecoder();
    for await (const part of this.#exchange.read(answer, signal)) {
      const lines = (rest + decoder.decode(part, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.trim() !== '') yield this.#json(line);
    }
    if (rest.trim() !== '') yield this.#json(rest);
  }

  #json<T>(text: string): T {
    try {
      return JSON.parse(text) as T;
    } catch (error) {
      throw new AixclError(
        'unexpected',
        `what listens at ${this.address} does not speak as Ollama does: ${JSON.stringify(text.slice(0, 80))}`,
        { hint: 'aixcl service status ollama', cause: error },
      );
    }
  }

  #failure(answer: IncomingMessage, text: string, name: string | undefined): AixclError {
    let said = text.trim().slice(0, 500);
    try {
      const { error } = JSON.parse(text) as { error?: unknown };
      if (typeof error === 'string') said = error;
    } catch {
      // Its text is all there is.
    }
    if (answer.statusCode === 404 && name !== undefined) {
      return new AixclError('notFound', `Ollama has no model ${name}: ${said}`, {
        hint: 'aixcl models list',
      });
    }
    return this.#refusal(said || `status ${answer.statusCode}`, name);
  }

  #refusal(said: string, name: string | undefined): AixclError {
    return new AixclError('unexpected', `Ollama said${name === undefined ? '' : ` of ${name}`}: ${said}`, {
      hint: 'aixcl service logs ollama',
    });
  }
}

function pullLine(line: { status?: string; digest?: string; total?: number; completed?: number }): PullLine {
  return {
    status: line.status ?? '',
    ...(line.digest !== undefined && { digest: line.digest }),
    ...(line.total !== undefined && { total: line.total }),
    // Ollama leaves a zero out.
    ...(line.total !== undefined && { completed: line.completed ?? 0 }),
  };
}
