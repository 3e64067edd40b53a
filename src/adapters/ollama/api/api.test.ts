import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { PullLine } from '../../../models/ollama/runtime.ts';
import { ollamaApi } from './api.ts';

/** A server that answers as the test says; gone at the end of its scope. */
async function serving(listener: RequestListener) {
  const http = createServer(listener);
  await new Promise<void>((resolve) => {
    http.listen(0, '127.0.0.1', resolve);
  });
  const { port } = http.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

const never = new AbortController().signal;

async function linesOf(lines: AsyncIterable<PullLine>): Promise<PullLine[]> {
  const all: PullLine[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

test('nobody listens: not running, and how to start it', async () => {
  const gone = await serving(() => {});
  const api = ollamaApi(gone.address);
  await gone[Symbol.asyncDispose]();
  await expect(api.names()).rejects.toMatchObject({
    code: 'notRunning',
    hint: 'aixcl service start ollama',
  });
});

test('a pull brings each line as it comes, whatever pieces the network makes of it', async () => {
  await using server = await serving(async (_, response) => {
    const text =
      '{"status":"pulling manifest"}\n{"status":"pulling ä","digest":"sha256:aa","total":10}\n' +
      '{"status":"pulling ä","digest":"sha256:aa","total":10,"completed":10}\n{"status":"success"}\n';
    const bytes = Buffer.from(text);
    for (const byte of bytes) {
      response.write(Uint8Array.of(byte));
      await sleep(1);
    }
    response.end();
  });
  const lines = await linesOf(ollamaApi(server.address).pull('tea', { insecure: false, signal: never }));
  expect(lines).toEqual([
    { status: 'pulling manifest' },
    { status: 'pulling ä', digest: 'sha256:aa', total: 10, completed: 0 },
    { status: 'pulling ä', digest: 'sha256:aa', total: 10, completed: 10 },
    { status: 'success' },
  ]);
});

test.each([
  [
    'an error line with status 200',
    200,
    '{"status":"pulling manifest"}\n{"error":"file does not exist"}\n',
    'file does not exist',
  ],
  ['an error with another status', 500, '{"error":"insecure protocol http"}', 'insecure protocol http'],
  ['an end without success', 200, '{"status":"pulling manifest"}\n', 'before it was done'],
  ['a page of something else', 200, '<html>', 'does not speak as Ollama does'],
])('a pull fails by %s', async (_, status, text, words) => {
  await using server = await serving((_request, response) => response.writeHead(status).end(text));
  const pull = ollamaApi(server.address).pull('tea', { insecure: false, signal: never });
  await expect(linesOf(pull)).rejects.toMatchObject({
    code: 'unexpected',
    message: expect.stringContaining(words),
  });
});

test('a connection that breaks in a pull is an error', async () => {
  await using server = await serving((_, response) => {
    response.write('{"status":"pulling manifest"}\n', () => response.destroy());
  });
  const pull = ollamaApi(server.address).pull('tea', { insecure: false, signal: never });
  await expect(linesOf(pull)).rejects.toMatchObject({ code: 'unexpected' });
});

test('a pull that is aborted throws the reason at once and lets the connection go', async () => {
  let closed = false;
  await using server = await serving((_, response) => {
    response.on('close', () => {
      closed = true;
    });
    response.write('{"status":"pulling manifest"}\n');
  });
  const abort = new AbortController();
  const seen: PullLine[] = [];
  const pulling = (async () => {
    const lines = ollamaApi(server.address).pull('tea', { insecure: false, signal: abort.signal });
    for await (const line of lines) {
      seen.push(line);
      abort.abort(new Error('enough'));
    }
  })();
  await expect(pulling).rejects.toThrow('enough');
  expect(seen).toHaveLength(1);
  await expect.poll(() => closed).toBe(true);
});

test('a pull that is left early lets the connection go', async () => {
  let closed = false;
  await using server = await serving((_, response) => {
    response.on('close', () => {
      closed = true;
    });
    response.write('{"status":"pulling manifest"}\n');
  });
  for await (const _ of ollamaApi(server.address).pull('tea', { insecure: false, signal: never })) break;
  await expect.poll(() => closed).toBe(true);
});

test('a server that says nothing is named as silent', async () => {
  await using server = await serving(() => {});
  const api = ollamaApi(server.address, { silenceMs: 50, probeMs: 50 });
  await expect(api.names()).rejects.toMatchObject({
    code: 'unexpected',
    message: expect.stringContaining('has said nothing'),
  });
  await expect(api.delete('tea')).rejects.toMatchObject({
    message: expect.stringContaining('has said nothing'),
  });
});

test('a server that falls silent in the middle of a pull is named as silent', async () => {
  let asked = 0;
  await using server = await serving((_, response) => {
    if (asked++ === 0) response.write('{"status":"pulling manifest"}\n');
  });
  const api = ollamaApi(server.address, { silenceMs: 50, probeMs: 50 });
  await expect(linesOf(api.pull('tea', { insecure: false, signal: never }))).rejects.toMatchObject({
    message: expect.stringContaining('has said nothing'),
  });
});

test('long work in silence is waited for while Ollama answers other calls', async () => {
  await using server = await serving(async (request, response) => {
    if (request.url === '/api/pull') {
      response.write('{"status":"verifying sha256 digest"}\n');
      await sleep(400);
      response.end('{"status":"success"}\n');
    } else response.end('Ollama is running');
  });
  const api = ollamaApi(server.address, { silenceMs: 60, probeMs: 200 });
  expect(await linesOf(api.pull('tea', { insecure: false, signal: never }))).toHaveLength(2);
});

test('work in silence is given up once Ollama answers no other call either', async () => {
  let probes = 0;
  await using server = await serving((request, response) => {
    if (request.url === '/api/pull') response.write('{"status":"verifying sha256 digest"}\n');
    else if (probes++ < 2) response.end('Ollama is running');
  });
  const api = ollamaApi(server.address, { silenceMs: 60, probeMs: 60 });
  await expect(linesOf(api.pull('tea', { insecure: false, signal: never }))).rejects.toMatchObject({
    message: expect.stringContaining('has said nothing'),
  });
  expect(probes).toBe(3);
});

test('a model that is not there is not found; other refusals keep Ollama’s words', async () => {
  let status = 404;
  await using server = await serving((_, response) =>
    response.writeHead(status).end('{"error":"in its words"}'),
  );
  const api = ollamaApi(server.address);
  await expect(api.delete('tea')).rejects.toMatchObject({ code: 'notFound' });
  await expect(api.copy('tea', 'mug')).rejects.toMatchObject({ code: 'notFound' });
  await expect(api.show('tea')).rejects.toMatchObject({ code: 'notFound' });
  status = 500;
  await expect(api.delete('tea')).rejects.toMatchObject({
    code: 'unexpected',
    message: expect.stringContaining('in its words'),
  });
});

test('a name that Ollama would take for another is never sent', async () => {
  const asked: string[] = [];
  await using server = await serving((request, response) => {
    asked.push(request.url ?? '');
    response.end('{}');
  });
  const api = ollamaApi(server.address);
  await expect(api.delete('tea:local')).rejects.toMatchObject({ code: 'refused' });
  await expect(api.show('tea:LOCAL')).rejects.toMatchObject({ code: 'refused' });
  await expect(linesOf(api.pull('tea:local', { insecure: false, signal: never }))).rejects.toMatchObject({
    code: 'refused',
  });
  expect(asked).toEqual([]);
});

test('a kept connection that the server closes when it is used again is made anew; work never goes over one', async () => {
  const used = new Set<unknown>();
  const cutOff: unknown[] = [];
  await using server = await serving((request, response) => {
    if (used.has(request.socket)) {
      cutOff.push(request.method);
      return request.socket.destroy();
    }
    used.add(request.socket);
    response.end('{"version":"1.2.3"}');
  });
  const api = ollamaApi(server.address);
  for (let count = 0; count < 3; count += 1) {
    expect(await api.version()).toBe('1.2.3');
    await api.delete('tea');
  }
  expect(cutOff).toEqual(['GET', 'GET']);
});

test('what is shown of a model is what Ollama says, and null where it says nothing', async () => {
  let answer: unknown = {
    license: 'apache-2.0',
    template: '{{ .Prompt }}',
    details: { family: 'llama', quantization_level: 'Q4_K_M' },
    model_info: {
      'general.architecture': 'llama',
      'general.parameter_count': 1235814400,
      'llama.context_length': 131072,
    },
  };
  await using server = await serving((_, response) => response.end(JSON.stringify(answer)));
  const api = ollamaApi(server.address);
  expect(await api.show('tea')).toEqual({
    architecture: 'llama',
    parameters: 1235814400,
    quantization: 'Q4_K_M',
    contextLength: 131072,
    template: '{{ .Prompt }}',
    license: 'apache-2.0',
  });
  answer = { details: { quantization_level: 'unknown' }, model_info: { 'general.file_type': 0 } };
  expect(await api.show('tea')).toMatchObject({ quantization: 'F32' });
  answer = { details: { quantization_level: 'unknown' }, model_info: { 'general.file_type': 4711 } };
  expect(await api.show('tea')).toMatchObject({ quantization: null });
  answer = {};
  expect(Object.values(await api.show('tea'))).toEqual([null, null, null, null, null, null]);
});

test('names are those of its list; an empty store has none', async () => {
  let models: unknown = [{ name: 'tea:latest' }, { name: 'hf.co/user/repo:Q4' }];
  await using server = await serving((_, response) => response.end(JSON.stringify({ models })));
  const api = ollamaApi(server.address);
  expect(await api.names()).toEqual(['tea:latest', 'hf.co/user/repo:Q4']);
  models = null;
  expect(await api.names()).toEqual([]);
});
