#!/usr/bin/env node
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

const dist = join(__dirname, '..', 'dist');

if (process.argv.length === 3 && process.argv[2] === '--version') {
  // Answered without loading the program: scripts ask for it often.
  const manifest = readFileSync(join(__dirname, '..', 'package.json'), 'utf8');
  process.stdout.write(`${JSON.parse(manifest).version}\n`);
} else {
  start(join(dist, 'main.cjs'), join(dist, 'main.cache'));
}

/** Starts the program with V8's code cache, which is good for the Node.js that built it; else as Node does. */
function start(file, cacheFile) {
  const source = read(file, 'latin1');
  if (source === undefined) {
    const folder = join(__dirname, '..');
    process.stderr.write(
      `aixcl is not built yet: dist/ is missing.\nRun: cd '${folder}' && npm run quickstart\n`,
    );
    process.exitCode = 1;
    return;
  }
  const Module = require('node:module');
  const cachedData = read(cacheFile);
  if (cachedData) {
    const { Script } = require('node:vm');
    const script = new Script(Module.wrap(source), { filename: file, cachedData });
    if (!script.cachedDataRejected) {
      const program = { exports: {} };
      script
        .runInThisContext()
        .call(program, program.exports, Module.createRequire(file), program, file, dist);
      return;
    }
  }
  Module.enableCompileCache?.();
  require(file);
}

function read(file, encoding) {
  try {
    return readFileSync(file, encoding);
  } catch {
    return undefined;
  }
}
