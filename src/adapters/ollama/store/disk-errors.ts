import { AixclError } from '../../../errors.ts';
import { shellWord } from '../../../shell-word.ts';
import { diskRefusal } from '../../disk-refusal.ts';

/** Runs `work` on Ollama's store at `place`; what a disk refuses becomes an error that names the store and says what mends it. */
export async function onStore<T>(place: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw diskRefusal(error, `Ollama's store ${place}`, place);
  }
}

/** A full store whose disk may be the engine's. */
export function storeFull(place: string, cause?: unknown): AixclError {
  return new AixclError('noSpace', `The disk of Ollama's store ${place} is full`, {
    hint: place.startsWith('/')
      ? `df -h ${shellWord(place)}; df -i ${shellWord(place)}`
      : 'docker system df -v',
    cause,
  });
}
