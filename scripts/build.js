/**
 * Bundles src/cli/main.ts into dist/: every library inside, so that the packed tarball installs without dependencies.
 *
 * Does nothing when sources, lock file and this script are as they were at the last build (`--force` builds all the same).
 */
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
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { thirdPartyLicences } from './third-party-licences.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const stamp = join(dist, '.inputs');
const main = 'main.js';

/** Libraries that dockerode loads at import (0.2 s) for engines on other machines and BuildKit sessions; aixcl uses neither. */
const absent = /^(ssh2|@grpc\/grpc-js|@grpc\/proto-loader|protobufjs)$/;

const absentLibraries = {
  name: 'absent-libraries',
  setup(build) {
    build.onResolve({ filter: absent }, ({ path }) => ({ path, namespace: 'absent' }));
    build.onLoad({ filter: /.*/, namespace: 'absent' }, ({ path }) => ({
      // Whatever is asked of it at import is given: a function that throws when it is used.
      contents: `
        function absent() {
          throw new Error(${JSON.stringify(`${path} is not part of aixcl, which talks to an engine on this machine only`)});
        }
        module.exports = new Proxy(absent, { get: (_, name) => (name === '__esModule' ? undefined : absent) });`,
    }));
  },
};

/** Work that libraries do on every start and aixcl never needs, as it stands in their sources, and what stands there in the bundle. */
const trims = [
  {
    // 20 ms each: loads the tables that split text into characters, which only tables and wrapped text ask for.
    file: /[\\/]string-width[\\/]index\.js$/,
    needs: 'Intl.Segmenter',
    from: 'const segmenter = new Intl.Segmenter();',
    to: 'let made; const segmenter = { segment: (text) => (made ??= new Intl.Segmenter()).segment(text) };',
  },
  {
    // 30 ms: composes the help of the command that has just run.
    file: /[\\/]yargs[\\/]build[\\/]lib[\\/]command\.js$/,
    needs: 'cacheHelpMessage',
    from: 'yargs.getInternalMethods().getUsageInstance().cacheHelpMessage();',
    to: '',
  },
];

const trimmedLibraries = {
  name: 'trimmed-libraries',
  setup(build) {
    for (const { file, needs, from, to } of trims) {
      build.onLoad({ filter: file }, ({ path }) => {
        const source = readFileSync(path, 'utf8');
        if (!source.includes(needs)) return undefined;
        if (!source.includes(from))
          throw new Error(`${path} has changed; see what its new version does at start`);
        return { contents: source.replace(from, to) };
      });
    }
  },
};

export async function build({ force = false } = {}) {
  const inputs = inputsHash();
  if (!force && existsSync(join(dist, main)) && existsSync(stamp) && readFileSync(stamp, 'utf8') === inputs) {
    return { built: false };
  }
  const esbuild = await import('esbuild');
  mkdirSync(dist, { recursive: true });
  const scratch = join(root, 'node_modules', '.cache');
  mkdirSync(scratch, { recursive: true });
  const fresh = mkdtempSync(join(scratch, 'build-'));
  try {
    const { metafile } = await esbuild.build({
      absWorkingDir: root,
      entryPoints: { main: 'src/cli/main.ts' },
      outdir: fresh,
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      minify: true,
      metafile: true,
      legalComments: 'none',
      chunkNames: 'chunk-[hash]',
      // CommonJS libraries inside an ES module still ask for Node's own modules by require().
      banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
      define: { AIXCL_VERSION: JSON.stringify(JSON.parse(read('package.json')).version) },
      plugins: [absentLibraries, trimmedLibraries],
      logLevel: 'warning',
    });
    writeFileSync(join(fresh, 'THIRD_PARTY_LICENSES'), thirdPartyLicences(root, metafile));
    publish(fresh);
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

/** Moves the new files in, chunks before the entry that names them, then takes the old ones out. */
function publish(fresh) {
  const names = readdirSync(fresh).sort((a, b) => Number(a === main) - Number(b === main));
  for (const name of names) renameSync(join(fresh, name), join(dist, name));
  for (const name of readdirSync(dist)) {
    if (!names.includes(name)) rmSync(join(dist, name), { recursive: true, force: true });
  }
}

function inputsHash() {
  const hash = createHash('sha256');
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
  process.stderr.write(built ? 'built dist/\n' : 'dist/ is up to date\n');
}
