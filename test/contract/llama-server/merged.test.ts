import { randomUUID } from 'node:crypto';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { mergeInto } from '../../../src/adapters/merge/merge.ts';
import { planMerge } from '../../../src/consolidate/merge-plan.ts';
import { baseName, consolidationHome, llamaQuantize, outputName } from '../../setup/consolidation.ts';
import {
  describeEngine,
  docker,
  engineTest,
  llamaImage,
  resetEngine,
  testLabel,
} from '../../setup/engine-test.ts';
import {
  headerOf,
  type LlamaWish,
  llamaBase,
  loraAdapter,
  smallLlama,
  write,
} from '../../setup/lora-model.ts';

const prompts = [
  ...['', 'a', 'The', 'Once upon a time', 'zzzzzzzz', '0123456789', '    ', '\n\n\n', '[]()', 'A1 B2'],
  ...['x = y + 1;', 'Hello, world', 'HELLO', '{"a": [1, 2]}', 'q', 'mmm mmm', '-----', 'Why?', 'no', 'end.'],
];
/** Tokens that each prompt is continued by. */
const length = 12;
/** Told with the others, and never said, as it is to be ignored. */
const endOfText = 2;
/** Where the first token leads by no more, the two may go different ways. */
const lead = 0.05;

describeEngine('a merged model answers as its base does with the adapter beside it', () => {
  for (const [type, factors, tolerance] of [
    ['F32', 'F32', 1e-4],
    ['F16', 'F16', 1e-2],
  ] as const) {
    engineTest(`${type}: the same tokens, log-probabilities within ${tolerance}`, async () => {
      await using models = await makeMerged({ ...smallLlama, type }, factors);
      const beside = await answers(models.path, ['-m', 'base.gguf', '--lora', 'adapter.gguf']);
      const merged = await answers(models.path, ['-m', 'merged.gguf']);
      const off = largestDifference(beside, merged);
      expect(off.tokens).toBeGreaterThan(prompts.length);
      expect(off.logprob).toBeLessThan(tolerance);
      // Were the adapter without effect, all this would say nothing.
      const base = await answers(models.path, ['-m', 'base.gguf']);
      expect(base.map(textOf)).not.toEqual(merged.map(textOf));
    });
  }

  engineTest(
    'token embeddings, where A and B are the other way round, are merged as llama-server has them',
    async () => {
      await using models = await makeMerged(smallLlama, 'F32', true);
      const beside = await answers(models.path, ['-m', 'base.gguf', '--lora', 'adapter.gguf']);
      const merged = await answers(models.path, ['-m', 'merged.gguf']);
      expect(largestDifference(beside, merged).logprob).toBeLessThan(1e-4);
    },
  );

  engineTest('Q8_0, by the command: as its F16 form with the adapter beside it', async () => {
    await resetEngine();
    await using at = await consolidationHome({
      async base(path) {
        const wide = join(dirname(path), 'wide.gguf');
        await write(llamaBase({ ...smallLlama, type: 'F16' }), wide);
        await llamaQuantize(wide, path, 'Q8_0');
      },
    });
    const merged = await at.run();
    expect(merged.code, merged.stderr).toBe(0);
    await llamaQuantize(join(at.models, baseName), join(at.models, 'f16.gguf'), 'F16');
    await cp(join(at.adapter, 'adapter.gguf'), join(at.models, 'adapter.gguf'));
    const beside = await answers(at.models, ['-m', 'f16.gguf', '--lora', 'adapter.gguf']);
    const alone = await answers(at.models, ['-m', outputName]);
    expect(largestDifference(beside, alone).logprob).toBeLessThan(1e-2);
    const base = await answers(at.models, ['-m', 'f16.gguf']);
    expect(base.map(textOf)).not.toEqual(alone.map(textOf));
  });
});

async function makeMerged(
  wish: LlamaWish,
  factors: 'F32' | 'F16',
  embeddings = false,
): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'aixcl-merged-'));
  const base = await write(llamaBase(wish), join(path, 'base.gguf'));
  const lora = loraAdapter(wish, { type: factors, rank: 8, alpha: 16, embeddings });
  const adapter = await write(lora, join(path, 'adapter.gguf'));
  const plan = planMerge([await headerOf(base)], await headerOf(adapter), {});
  await mergeInto(plan, {
    base: [base],
    adapter,
    output: join(path, 'merged.gguf'),
    signal: new AbortController().signal,
  });
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

/** A token with its log-probability, and those of the tokens that came next to it; the likeliest first. */
interface Token {
  readonly id: number;
  readonly top: ReadonlyMap<number, number>;
}

type Answer = readonly Token[];

/** What a llama-server with these arguments answers to each prompt, greedily, its key-value cache in F32. */
async function answers(models: string, args: readonly string[]): Promise<Answer[]> {
  const name = `merged-${randomUUID().slice(0, 8)}`;
  const exact = ['-c', '512', '-np', '1', '-t', '1', '-ctk', 'f32', '-ctv', 'f32', '-fa', 'off'];
  const started = await docker([
    ...['run', '--detach', '--name', name, '--label', testLabel(), '--init', '--network', 'none'],
    ...['--volume', `${models}:/models:ro`, '--workdir', '/models', '--entrypoint', '/usr/bin/llama-server'],
    ...[llamaImage(), ...args, ...exact, '--no-warmup', '--port', '8080'],
  ]);
  expect(started).toMatchObject({ code: 0 });
  try {
    const curl = (...more: string[]) => docker(['exec', name, 'curl', '-sf', ...more]);
    const retried = ['--retry', '100', '--retry-all-errors', '--retry-delay', '1'];
    expect(await curl(...retried, 'http://localhost:8080/health')).toMatchObject({ code: 0 });
    const wish = { prompt: prompts, n_predict: length, temperature: 0, n_probs: 10, ignore_eos: true };
    const { stdout } = await curl('http://localhost:8080/completion', '-d', JSON.stringify(wish));
    return (JSON.parse(stdout) as Completion[]).map(answerOf);
  } catch (error) {
    const { stdout, stderr } = await docker(['logs', '--tail', '20', name]);
    throw new Error(`${String(error)}\n${stdout}${stderr}`);
  } finally {
    await docker(['rm', '--force', name]);
  }
}

interface Completion {
  readonly completion_probabilities: readonly {
    readonly id: number;
    readonly top_logprobs: readonly { readonly id: number; readonly logprob: number }[];
  }[];
}

function answerOf({ completion_probabilities: tokens }: Completion): Answer {
  return tokens.map(({ id, top_logprobs: top }) => ({
    id,
    top: new Map(top.filter((each) => each.id !== endOfText).map((each) => [each.id, each.logprob])),
  }));
}

/** Over all prompts as far as both went the same way, which they must wherever the leading token leads. */
function largestDifference(
  ours: readonly Answer[],
  theirs: readonly Answer[],
): { tokens: number; logprob: number } {
  let [tokens, logprob] = [0, 0];
  for (const [prompt, answer] of ours.entries()) {
    for (const [place, token] of answer.entries()) {
      const other = theirs[prompt]![place]!;
      for (const [id, value] of token.top) {
        const its = other.top.get(id);
        if (its !== undefined) logprob = Math.max(logprob, Math.abs(value - its));
      }
      tokens += 1;
      if (token.id === other.id) continue;
      const [first = 0, second = 0] = token.top.values();
      expect(first - second, `${JSON.stringify(prompts[prompt])}, token ${place}`).toBeLessThanOrEqual(lead);
      break;
    }
  }
  return { tokens, logprob };
}

function textOf(answer: Answer): string {
  return answer.map(({ id }) => id).join(' ');
}
