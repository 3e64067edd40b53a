import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Stands between a browser and a server on loopback, and cuts all connections at given byte counts. */
export interface CuttingProxy extends AsyncDisposable {
  /** On 127.0.0.1. */
  readonly port: number;
  /** Bytes that reached the server's side: of bodies, headers, all. */
  readonly towardsServer: number;
  /** How often it has cut. */
  readonly cuts: number;
  /** Cuts all that is open now. */
  cut(): void;
}

/** Milliseconds; timers are no finer than this. */
const pace = 5;

export interface CuttingWish {
  /** Counts of bytes towards the server, ascending; what is beyond one when it is reached never arrives. */
  readonly cutAt?: readonly number[];
  /** Bytes a second towards the server; absent: as fast as it goes. */
  readonly rate?: number;
}

/** `server`: its port. */
export async function cuttingProxy(
  server: number,
  { cutAt = [], rate = Number.POSITIVE_INFINITY }: CuttingWish = {},
): Promise<CuttingProxy> {
  const open = new Set<Socket>();
  let [towardsServer, cuts] = [0, 0];
  /** When the bytes so far may have come, in milliseconds. */
  let due = 0;
  const cut = () => {
    cuts += 1;
    // As a lost connection looks from both sides: no orderly end.
    for (const socket of open) socket.resetAndDestroy();
  };
  const listener = createServer((browser) => {
    const onward = connect(server, '127.0.0.1');
    for (const [one, other] of [
      [browser, onward],
      [onward, browser],
    ] as const) {
      open.add(one);
      // Its `close` tells all that matters.
      one.on('error', () => {});
      one.on('close', () => {
        open.delete(one);
        other.destroy();
      });
    }
    browser.on('data', (chunk: Buffer) => {
      const next = cutAt[cuts];
      if (next !== undefined && towardsServer + chunk.length >= next) return cut();
      towardsServer += chunk.length;
      due = Math.max(due, performance.now()) + (chunk.length / rate) * 1000;
      const early = due - performance.now();
      if (early > pace) {
        browser.pause();
        setTimeout(() => browser.resume(), early);
      }
      if (!onward.write(chunk)) browser.pause();
    });
    onward.on('drain', () => browser.resume());
    browser.on('end', () => onward.end());
    onward.pipe(browser);
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  return {
    port: (listener.address() as AddressInfo).port,
    get towardsServer() {
      return towardsServer;
    },
    get cuts() {
      return cuts;
    },
    cut,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}
