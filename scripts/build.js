/**
 * Bundles src/cli/main.ts into dist/main.cjs: every library inside, so that the packed tarball installs without dependencies. Beside it lies
 * V8's code cache, good for the Node.js that built it, which halves what aixcl adds to Node's own start. Then the upload page
 * (build-upload-ui.js).
 *
 * Does nothing when sources, lock file and these scripts are as they were at the last build (`--force` builds all the same).
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildUploadUi, uploadUiApp } from './build-upload-ui.js';
import { absentLibraries, entryAsScript, onlyQuantizations, trimmedLibraries } from './bundle-plugins.js';
import { forNode, root } from './for-node.js';
import { thirdPartyLicences } from './third-party-licences.js';

const dist = join(root, 'dist');
const stamp = join(dist, '.inputs');
const main = 'main.cjs';
const cache = 'main.cache';

export async function build({ force = false } = {}) {
  const inputs = inputsHash();
  const standing = [join(dist, main), join(uploadUiApp, 'server.cjs'), stamp].every((path) =>
    existsSync(path),
  );
  if (!force && standing && readFileSync(stamp, 'utf8') === inputs) return { built: false };
  const esbuild = await import('esbuild');
  mkdirSync(dist, { recursive: true });
  const scratch = join(root, 'node_modules', '.cache');
  mkdirSync(scratch, { recursive: true });
  const fresh = mkdtempSync(join(scratch, 'build-'));
  try {
    const { metafile } = await esbuild.build({
      ...forNode,
      entryPoints: ['src/cli/main.ts'],
      outfile: join(fresh, main),
      plugins: [absentLibraries, onlyQuantizations, trimmedLibraries, entryAsScript],
    });
    warmCache(fresh);
    writeFileSync(join(fresh, 'THIRD_PARTY_LICENSES'), thirdPartyLicences(root, metafile));
    publish(fresh);
    await buildUploadUi(scratch);
    writeFileSync(stamp, inputs);
    return { built: true };
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** esbuild has said what is wrong, with file and line; a stack trace of its insides adds nothing. */
export function failed(error) {
  if (!Array.isArray(error?.errors)) throw error;
  process.exit(1);
}

/** Without the cache aixcl starts slower, and works. */
function warmCache(folder) {
  const { status } = spawnSync(process.execPath, [join(root, 'scripts', 'warm-cache.cjs'), folder], {
    stdio: 'inherit',
  });
  if (status !== 0) process.stderr.write('note: no code cache was made; aixcl will start slower\n');
}

/** Moves the new files in, the cache last: V8 tells a cache that belongs to another program by its length only. */
function publish(fresh) {
  rmSync(join(dist, cache), { force: true });
  const names = readdirSync(fresh).sort((a, b) => Number(a === cache) - Number(b === cache));
  for (const name of names) renameSync(join(fresh, name), join(dist, name));
  for (const name of readdirSync(dist)) {
    if (!names.includes(name)) rmSync(join(dist, name), { recursive: true, force: true });
  }
}

function inputsHash() {
  // The code cache is good for one version of Node.js.
  const hash = createHash('sha256').update(process.version);
  const files = ['package.json', 'package-lock.json', ...list('scripts'), ...list('src')];
  for (const file of files.filter((name) => !name.endsWith('.test.ts')).sort()) {
    hash.update(`${file}\0`).update(read(file)).update('\0');
  }
  return hash.digest('hex');
}

function list(folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

function read(file) {
  return readFileSync(join(root, file), 'utf8');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { built } = await build({ force: process.argv.includes('--force') }).catch(failed);
  process.stderr.write(
    built ? 'built dist/ and the upload page\n' : 'dist/ and the upload page are up to date\n',
  );
}
