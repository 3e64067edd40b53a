import { createWriteStream } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** A plain file server, to hold uploads against: `plain-server.mjs FOLDER` writes what is PUT to `/NAME`. Tells its port on stdout. */
const [folder = '.'] = process.argv.slice(2);
const server = createServer(async (request, response) => {
  const name = new URL(request.url ?? '/', 'http://plain').pathname.slice(1);
  await pipeline(request, createWriteStream(join(folder, name), { highWaterMark: 1 << 20 }));
  response.writeHead(201).end();
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
