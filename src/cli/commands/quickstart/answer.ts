import { setTimeout as delay } from 'node:timers/promises';
import { AixclError, reasonOf } from '../../../errors.ts';

interface Completion {
  readonly model?: string;
  readonly choices?: readonly { readonly message?: { readonly content?: string } }[];
}

const patienceMs = 120_000;

/**
 * Asks llama-server through its OpenAI-compatible API and answers what it said. While it loads it answers 503, and is asked again.
 * Throws `unhealthy` when no answer comes.
 */
export async function askLlamaServer(
  base: string,
  question: string,
  signal: AbortSignal,
): Promise<{ model: string; text: string }> {
  const deadline = performance.now() + patienceMs;
  let reason = 'it did not answer';
  while (performance.now() < deadline) {
    signal.throwIfAborted();
    try {
      const response = await fetch(`${base}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ messages: [{ role: 'user', content: question }], max_tokens: 64 }),
        signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]),
      });
      if (response.ok) {
        const completion = (await response.json()) as Completion;
        return {
          model: completion.model ?? '',
          text: completion.choices?.[0]?.message?.content?.trim() ?? '',
        };
      }
      reason = `it answered with HTTP ${response.status}`;
    } catch (error) {
      signal.throwIfAborted();
      reason = error instanceof Error && error.cause ? reasonOf(error.cause) : reasonOf(error);
    }
    await delay(200, undefined, { signal });
  }
  throw new AixclError('unhealthy', `llama-server at ${base} gave no answer: ${reason}`, {
    hint: 'aixcl service logs llama-server',
  });
}
