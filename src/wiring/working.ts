import type { WorkOptions } from '../vault/vault.ts';
import type { Surroundings } from './surroundings.ts';

/** Runs a piece of work with its bytes shown. `total`: bytes; 0 where there is nothing to wait for. */
export async function working<T>(
  { progress, signal }: Pick<Surroundings, 'progress' | 'signal'>,
  label: string,
  total: number,
  work: (options: WorkOptions) => Promise<T>,
): Promise<T> {
  if (total < shownFrom) return await work({ signal });
  const task = progress.start(label, total);
  try {
    const answer = await work({ signal, onProgress: (done) => task.update({ done }) });
    task.succeed();
    return answer;
  } catch (error) {
    task.fail();
    throw error;
  }
}

/** Bytes whose hashing or copying is seen to take time. */
const shownFrom = 64 * 2 ** 20;
