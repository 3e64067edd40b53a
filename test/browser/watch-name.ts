import { Worker } from 'node:worker_threads';

/** Looks each millisecond at what stands under a name. */
export interface NameWatch extends AsyncDisposable {
  /** Each size that was seen, one after the other, and `none` while nothing was there. */
  seen(): Promise<readonly (number | 'none')[]>;
}

/** In a thread of its own, so that nothing that the test does makes it look away. */
export function watchName(path: string): NameWatch {
  const worker = new Worker(look, { eval: true, workerData: path });
  return {
    seen: () =>
      new Promise((resolve) => {
        worker.once('message', resolve);
        worker.postMessage('tell');
      }),
    async [Symbol.asyncDispose]() {
      await worker.terminate();
    },
  };
}

const look = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { statSync } = require('node:fs');
  const seen = [];
  setInterval(() => {
    const size = statSync(workerData, { throwIfNoEntry: false })?.size ?? 'none';
    if (seen.at(-1) !== size) seen.push(size);
  }, 1);
  parentPort.on('message', () => parentPort.postMessage(seen));
`;
