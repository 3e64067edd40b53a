#!/usr/bin/env node
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = new URL('../dist/main.js', import.meta.url);

if (process.argv.length === 3 && process.argv[2] === '--version') {
  // Answered without loading the program: scripts ask for it often.
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  process.stdout.write(`${JSON.parse(manifest).version}\n`);
} else if (existsSync(main)) {
  await import(main.href);
} else {
  const folder = fileURLToPath(new URL('..', import.meta.url));
  process.stderr.write(
    `aixcl is not built yet: dist/ is missing.\nRun: npm --prefix '${folder}' run quickstart\n`,
  );
  process.exitCode = 1;
}
