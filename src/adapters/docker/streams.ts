import type { LogLine } from '../../stack/engine.ts';

/** Each line of a byte stream as text, without its line end; the last one too when it lacks one. */
export async function* lines(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    let bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10)) {
      yield text(bytes.subarray(0, end));
      bytes = bytes.subarray(end + 1);
    }
    rest = Buffer.from(bytes);
  }
  if (rest.length > 0) yield text(rest);
}

function text(bytes: Buffer): string {
  return bytes.toString('utf8').replace(/\r$/, '');
}

/** Each JSON value of a stream of JSON lines, as the engine answers pulls, builds and events. */
export async function* jsonLines<T>(chunks: AsyncIterable<Buffer>): AsyncGenerator<T> {
  for await (const line of lines(chunks)) {
    if (line.trim()) yield JSON.parse(line) as T;
  }
}

export interface Frame {
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Buffer;
}

/**
 * Frames of a multiplexed stream: 8 bytes of head (1 or 2 for stdout or stderr, three zeros, length as big-endian uint32),
 * then that many bytes. Source: Docker Engine API, "Attach to a container", stream format.
 */
export async function* frames(chunks: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  let pending: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    pending = pending.length > 0 ? Buffer.concat([pending, chunk]) : chunk;
    while (pending.length >= 8) {
      const length = pending.readUInt32BE(4);
      if (pending.length < 8 + length) break;
      yield { stream: pending[0] === 2 ? 'stderr' : 'stdout', bytes: pending.subarray(8, 8 + length) };
      pending = pending.subarray(8 + length);
    }
  }
}

/** Lines of a container's log; a container with a terminal has one raw stream, any other a multiplexed one. */
export async function* logLines(chunks: AsyncIterable<Buffer>, hasTty: boolean): AsyncGenerator<LogLine> {
  if (hasTty) {
    for await (const line of lines(chunks)) yield { stream: 'stdout', text: line };
    return;
  }
  const rests = { stdout: '', stderr: '' };
  const decoders = { stdout: decoder(), stderr: decoder() };
  for await (const { stream, bytes } of frames(chunks)) {
    const parts = (rests[stream] + decoders[stream].decode(bytes, { stream: true })).split('\n');
    rests[stream] = parts.pop() ?? '';
    for (const part of parts) yield { stream, text: part.replace(/\r$/, '') };
  }
  for (const stream of ['stdout', 'stderr'] as const) {
    const rest = rests[stream] + decoders[stream].decode();
    if (rest) yield { stream, text: rest };
  }
}

/** A byte order mark is the log's own. */
function decoder() {
  return new TextDecoder('utf-8', { ignoreBOM: true });
}
