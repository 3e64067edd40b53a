/**
 * `node warm-cache.cjs DIST`: writes DIST/main.cache, V8's compiled code of the functions that everyday commands run. They are run here for
 * that, in a home of their own, against an engine that has nothing.
 */
const { execFile } = require('node:child_process');
const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const { createServer } = require('node:http');
const Module = require('node:module');
const { tmpdir } = require('node:os');
const { join, resolve } = require('node:path');
const { Script } = require('node:vm');

const commands = [
  ['stack', 'status'],
  ['stack', 'status', '--format', 'json'],
  ['stack', 'start', '--dry-run'],
  ['stack', 'start', '--yes', '--pull', 'never'],
  ['models', 'list'],
];

const dist = resolve(process.argv[2]);
const file = join(dist, 'main.cjs');
const folder = mkdtempSync(join(tmpdir(), 'aixcl-warm-'));
const socket = join(folder, 'docker.sock');
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
setTimeout(() => process.reallyExit(1), 20_000).unref();
void warm();

async function warm() {
  const engine = createServer(answer);
  await new Promise((ready) => engine.listen(socket, ready));
  process.env = {
    PATH: process.env.PATH,
    HOME: folder,
    AIXCL_HOME: join(folder, 'home'),
    DOCKER_HOST: `unix://${socket}`,
  };
  // Remembers the definition, so that what reads it anew is not among the functions below: it would cost every start to load them.
  await new Promise((done) => execFile(process.execPath, [file, ...commands[0]], { env: process.env }, done));
  const source = readFileSync(file, 'latin1');
  const script = new Script(Module.wrap(source), { filename: file });
  for (const command of commands) await run(script, command);
  writeFileSync(join(dist, 'main.cache'), script.createCachedData());
  process.reallyExit(0);
}

/** Runs the program to where it would exit, saying nothing. */
function run(script, args) {
  return new Promise((done) => {
    process.argv = [process.execPath, file, ...args];
    process.exit = done;
    for (const stream of [process.stdout, process.stderr]) {
      stream.write = (_, ...rest) => {
        rest.findLast((value) => typeof value === 'function')?.();
        return true;
      };
    }
    const module = { exports: {} };
    script.runInThisContext().call(module, module.exports, Module.createRequire(file), module, file, dist);
  });
}

/** An engine of the oldest kind that is spoken to, with nothing on it. */
function answer({ url }, response) {
  const path = url.replace(/^\/v[\d.]+/, '').replace(/\?.*/, '');
  const lists = { '/containers/json': [], '/images/json': [], '/networks': [], '/volumes': { Volumes: [] } };
  const found = { '/_ping': 'OK', '/info': {}, '/version': {}, ...lists }[path];
  response.writeHead(found ? 200 : 404, { 'content-type': 'application/json', 'api-version': '1.41' });
  response.end(JSON.stringify(found ?? { message: 'no such thing' }));
}
