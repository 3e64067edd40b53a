import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { hostFacts } from './host-facts.ts';

test('who listens on a port is known by name and number, and who started it', async () => {
  const program = `
    const server = require('node:net').createServer().listen(0, '127.0.0.1', () => console.log(server.address().port));
  `;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [line] = await child.stdout.take(1).toArray();
    const name = readFileSync('/proc/self/comm', 'utf8').trim();
    expect(await hostFacts.portHolder('127.0.0.1', Number(line))).toEqual({
      process: expect.stringContaining(`(pid ${child.pid})`),
      parent: { pid: process.pid, name },
    });
  } finally {
    child.kill();
  }
});

test('a port that nobody listens on has no holder', async () => {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' ? (address?.port ?? 0) : 0);
    });
  });
  await new Promise((resolve) => server.close(resolve));
  expect(await hostFacts.portHolder('127.0.0.1', port)).toBeUndefined();
});
