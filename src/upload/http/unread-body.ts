import type { IncomingMessage, ServerResponse } from 'node:http';

/** How much of a body is still taken in once its request is answered, in bytes and milliseconds, so that the answer is read before the connection ends. */
const patience = { bytes: 16 * 1024 * 1024, milliseconds: 2000, lookEveryMs: 20 };

/** Ends the connection if the body of a request that is answered goes on coming. */
export function letBodyEnd(request: IncomingMessage, response: ServerResponse): void {
  response.once('finish', () => {
    const { socket } = request;
    if (request.complete || socket.destroyed) return;
    const [bytes, time] = [socket.bytesRead + patience.bytes, performance.now() + patience.milliseconds];
    // Node throws away what comes now, and tells nobody.
    const looking = setInterval(() => {
      if (request.complete || socket.destroyed) clearInterval(looking);
      else if (socket.bytesRead > bytes || performance.now() > time) socket.destroy();
    }, patience.lookEveryMs);
  });
}

/** Reads a body that nobody wants. False: it is longer than `limit`, in bytes, or says so. */
export async function isWithin(
  request: IncomingMessage,
  response: ServerResponse,
  limit: number,
): Promise<boolean> {
  const { headers } = request;
  const length = Number(headers['content-length'] ?? 0);
  if (length > limit) return false;
  if (length === 0 && headers['transfer-encoding'] === undefined) return true;
  if (headers.expect !== undefined) response.writeContinue();
  return new Promise((resolve) => {
    let read = 0;
    const settle = (within: boolean) => {
      request.off('data', count);
      resolve(within);
    };
    const count = (chunk: Buffer) => {
      read += chunk.length;
      if (read > limit) settle(false);
    };
    request.on('data', count).once('end', () => settle(true));
    request.once('close', () => settle(read <= limit));
  });
}
