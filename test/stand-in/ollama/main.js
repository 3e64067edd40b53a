/**
 * A stand-in for Ollama: its HTTP API over its layout on the disk, with its weaknesses. For tests alone: it computes nothing. What it does and
 * leaves undone is held against the real one by test/contract/ollama.
 */
import { request } from 'node:http';
import { serve } from './server.js';

const [verb = 'help', ...args] = process.argv.slice(2);
const verbs = {
  serve: () => serve(listenAddress()),
  list: async () => {
    const { models } = await ask('GET', '/api/tags');
    for (const { name, digest, size } of models) say(`${name}\t${digest.slice(0, 12)}\t${size}`);
  },
  pull: async () => {
    await ask('POST', '/api/pull', { model: args[0], stream: false, insecure: args.includes('--insecure') });
  },
  rm: async () => {
    for (const model of args) await ask('DELETE', '/api/delete', { model });
  },
  cp: async () => {
    await ask('POST', '/api/copy', { source: args[0], destination: args[1] });
  },
};

try {
  const run = verbs[verb];
  if (!run) throw new Error(`the stand-in knows ${Object.keys(verbs).join(', ')}, not ${verb}`);
  await run();
} catch (error) {
  process.stderr.write(`Error: ${error.message}\n`);
  process.exitCode = 1;
}

function say(line) {
  process.stdout.write(`${line}\n`);
}

/** `[SCHEME://]HOST[:PORT]` of `OLLAMA_HOST`. */
function listenAddress() {
  const text = (process.env.OLLAMA_HOST ?? '')
    .trim()
    .replace(/^\w+:\/\//, '')
    .replace(/\/.*$/, '');
  const [, host, port] = /^(.*?)(?::(\d+))?$/.exec(text);
  return { host: host || '127.0.0.1', port: Number(port ?? 11434) };
}

function ask(method, path, body) {
  const { host, port } = listenAddress();
  return new Promise((resolve, reject) => {
    const sent = request({ host: host === '0.0.0.0' ? '127.0.0.1' : host, port, method, path }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      answer.on('end', () => {
        const value = text ? JSON.parse(text) : {};
        if (answer.statusCode === 200) resolve(value);
        else reject(new Error(value.error ?? text));
      });
    });
    sent.on('error', () =>
      reject(new Error('could not connect to ollama server, run `ollama serve` to start it')),
    );
    sent.end(body && JSON.stringify(body));
  });
}
