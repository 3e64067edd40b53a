import { setTimeout as delay } from 'node:timers/promises';
import type { PageUpload } from '../../../src/upload/api.ts';
import type { Page } from './page.ts';

/** A file that a client of the page wants to get there. */
export interface Sent {
  readonly file: string;
  readonly bytes: Uint8Array;
  /** Besides its name. */
  readonly metadata?: Readonly<Record<string, string>>;
}

const tus = { 'Tus-Resumable': '1.0.0' };

/** Announces it; answers its path, or throws with status and problem. */
export async function announce(page: Page, { file, bytes, metadata }: Sent): Promise<string> {
  const pairs = Object.entries({ filename: file, ...metadata });
  const answer = await page.send('POST', '/uploads', {
    ...tus,
    'Upload-Length': String(bytes.length),
    'Upload-Metadata': pairs
      .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
      .join(','),
  });
  if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
  return answer.headers.get('location') ?? '';
}

/** Bytes that are there. */
export async function offsetOf(page: Page, path: string): Promise<number> {
  const answer = await page.send('HEAD', path, tus);
  if (!answer.ok) throw new Error(`HEAD ${path}: ${answer.status}`);
  return Number(answer.headers.get('upload-offset'));
}

/** Sends from where it is, up to `end`, in pieces of `chunk`; answers the first status that is not 204, or 204. */
export async function sendOn(
  page: Page,
  path: string,
  bytes: Uint8Array,
  { end = bytes.length, chunk = bytes.length }: { readonly end?: number; readonly chunk?: number } = {},
): Promise<number> {
  for (let offset = await offsetOf(page, path); offset < end; ) {
    const piece = bytes.subarray(offset, Math.min(end, offset + chunk));
    const headers = {
      ...tus,
      'Upload-Offset': String(offset),
      'Content-Type': 'application/offset+octet-stream',
    };
    const answer = await page.send('PATCH', path, headers, piece);
    if (answer.status !== 204) return answer.status;
    offset += piece.length;
  }
  return 204;
}

export async function clear(page: Page, path: string): Promise<number> {
  return (await page.send('DELETE', path, tus)).status;
}

/** The uploads, once nothing is being checked. */
export async function settled(page: Page): Promise<readonly PageUpload[]> {
  for (;;) {
    const { uploads } = await page.state();
    if (uploads.every(({ phase }) => phase !== 'checking')) return uploads;
    await delay(20);
  }
}

/** Does what is still to be done for `files`, as somebody who comes back to the page. Answers the uploads that are left. */
export async function finish(
  page: Page,
  files: readonly Sent[],
  isThere: (file: Sent) => Promise<boolean>,
): Promise<readonly PageUpload[]> {
  const before = await settled(page);
  for (const file of files) {
    const earlier = before.find((each) => each.file === file.file);
    if (!earlier && (await isThere(file))) continue;
    const path = earlier ? `/uploads/${earlier.id}` : await announce(page, file);
    if (earlier && earlier.phase !== 'receiving') continue;
    const status = await sendOn(page, path, file.bytes, { chunk: Math.ceil(file.bytes.length / 3) });
    if (status !== 204) throw new Error(`${file.file}: ${status}`);
  }
  return await settled(page);
}
