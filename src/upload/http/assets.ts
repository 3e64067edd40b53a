import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { namesIn } from '../../adapters/names-in.ts';

/** A file of the page, in memory with what the build compressed. */
interface Asset {
  readonly type: string;
  readonly etag: string;
  /** `br`, `gzip` or `identity`. */
  readonly encodings: ReadonlyMap<string, Buffer>;
}

/** By path: `/`, `/page.js`, … */
export type Assets = ReadonlyMap<string, Asset>;

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};

/** Reads all files of the page. A path can then only be one of them. */
export async function readAssets(folder: string): Promise<Assets> {
  const names = await namesIn(folder);
  const assets = new Map<string, Asset>();
  for (const name of names) {
    const type = types[extname(name)];
    if (!type) continue;
    const content = await readFile(join(folder, name));
    const encodings = new Map([['identity', content]]);
    for (const [encoding, ending] of [
      ['br', '.br'],
      ['gzip', '.gz'],
    ] as const) {
      if (names.includes(name + ending)) encodings.set(encoding, await readFile(join(folder, name + ending)));
    }
    const etag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
    assets.set(name === 'index.html' ? '/' : `/${name}`, { type, etag, encodings });
  }
  return assets;
}

/** Answers GET and HEAD. Browsers ask each time whether it is still the same; the page itself they do not keep. */
export function sendAsset(asset: Asset, request: IncomingMessage, response: ServerResponse): void {
  const { type, etag, encodings } = asset;
  response.setHeader('Vary', 'Accept-Encoding');
  if (type !== types['.html']) {
    response.setHeader('Cache-Control', 'no-cache');
    response.setHeader('ETag', etag);
    if (request.headers['if-none-match']?.includes(etag)) {
      response.writeHead(304).end();
      return;
    }
  }
  const encoding = ['br', 'gzip'].find((name) => encodings.has(name) && accepts(request, name)) ?? 'identity';
  const content = encodings.get(encoding) ?? Buffer.alloc(0);
  if (encoding !== 'identity') response.setHeader('Content-Encoding', encoding);
  response.writeHead(200, { 'Content-Type': type, 'Content-Length': content.length });
  response.end(request.method === 'HEAD' ? undefined : content);
}

function accepts({ headers }: IncomingMessage, encoding: string): boolean {
  const named = String(headers['accept-encoding'] ?? '')
    .split(',')
    .map((part) => part.trim().split(/\s*;\s*/));
  return named.some(([name, quality]) => name === encoding && quality !== 'q=0');
}
