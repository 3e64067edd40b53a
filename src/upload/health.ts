import { get } from 'node:http';
import { addressFor } from './listen-address.ts';

/** The container's health check: asks the server beside it. A program of its own, as it runs every few seconds and should cost nothing. */
const { host, port } = addressFor(process.env);

get({ host: host === '0.0.0.0' ? '127.0.0.1' : host, port, path: '/health', timeout: 3000 }, (answer) =>
  process.exit(answer.statusCode === 204 ? 0 : 1),
)
  .on('timeout', () => process.exit(1))
  .on('error', () => process.exit(1));
