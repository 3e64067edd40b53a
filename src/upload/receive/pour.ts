import type { Readable } from 'node:stream';
import { networkBytesCame } from './young-garbage.ts';

/** Bytes that are gathered while others are being written: twice as many are in memory at once. Fewer cost calls. */
export const gathered = 2 ** 19;
/**
 * Bytes that are gathered in all, of however many streams. What outlives two looks at what is young (young-garbage.ts) is old, and lies around
 * until V8 looks through its whole heap.
 */
const gatheredInAll = 2 ** 20;

let pours = 0;

interface Vessel {
  /** One call at a time. */
  write(chunks: readonly Uint8Array[]): Promise<void>;
  /** Told how to end it early. */
  stoppable(stop: () => void): void;
}

/**
 * Writes what a stream brings, and reads on meanwhile. However the stream ends, what came of it is written; throws what `write` throws. Whatever
 * nobody takes is read all the same, as who is still sending reads no answer.
 */
export async function pour(stream: Readable, vessel: Vessel): Promise<void> {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  let isWriting = false;
  let hasEnded = false;
  let resolve = () => {};
  let reject = (_error: unknown) => {};
  const done = new Promise<void>((...settle) => {
    [resolve, reject] = settle;
  });
  const gather = (chunk: Uint8Array) => {
    waiting.push(chunk);
    bytes += chunk.length;
    networkBytesCame(chunk.length);
    if (!isWriting) void write();
    else if (bytes >= Math.min(gathered, gatheredInAll / pours)) stream.pause();
  };
  const write = async () => {
    isWriting = true;
    try {
      while (waiting.length > 0) {
        const chunks = waiting;
        [waiting, bytes] = [[], 0];
        if (!hasEnded) stream.resume();
        await vessel.write(chunks);
      }
      isWriting = false;
      if (hasEnded) resolve();
    } catch (error) {
      reject(error);
    }
  };
  const end = () => {
    if (hasEnded) return;
    hasEnded = true;
    stream.off('data', gather);
    if (!isWriting) resolve();
  };
  vessel.stoppable(end);
  pours += 1;
  try {
    if (stream.destroyed) end();
    else stream.on('data', gather).once('end', end).once('error', end).once('close', end);
    await done;
  } finally {
    pours -= 1;
    stream.off('data', gather).off('end', end).off('error', end).off('close', end).resume();
  }
}
