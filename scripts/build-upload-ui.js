import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, extname, join, relative } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { absentLibraries, onlyQuantizations, trimmedLibraries } from './bundle-plugins.js';
import { forNode, root } from './for-node.js';
import { thirdPartyLicences } from './third-party-licences.js';

/** What services/upload-ui/Dockerfile copies into the image. */
export const uploadUiApp = join(root, 'services', 'upload-ui', 'app');

const source = join(root, 'src', 'upload', 'page');
/** Files of the page that are taken as they are. */
const asTheyAre = ['.html', '.svg', '.png', '.webmanifest'];

/** Bundles src/upload/server.ts and health.ts into one script each, and src/upload/page into page/, each file also as `.br` and `.gz`. `scratch`: a folder on the same disk. */
export async function buildUploadUi(scratch) {
  const esbuild = await import('esbuild');
  const fresh = mkdtempSync(join(scratch, 'upload-ui-'));
  try {
    const server = await esbuild.build({
      ...forNode,
      entryPoints: ['src/upload/server.ts', 'src/upload/health.ts'],
      outdir: fresh,
      // Node prints the line that an error comes from.
      lineLimit: 160,
      outExtension: { '.js': '.cjs' },
      plugins: [absentLibraries, onlyQuantizations, trimmedLibraries],
    });
    const outputs = { ...server.metafile.outputs, ...(await buildPage(esbuild, join(fresh, 'page'))) };
    writeFileSync(join(fresh, 'THIRD_PARTY_LICENSES'), thirdPartyLicences(root, { outputs }));
    publish(fresh);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

async function buildPage(esbuild, folder) {
  mkdirSync(folder);
  const { metafile } = await esbuild.build({
    absWorkingDir: root,
    entryPoints: { page: 'src/upload/page/main.tsx' },
    outdir: folder,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: ['chrome109', 'firefox115', 'safari16'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    minify: true,
    metafile: true,
    legalComments: 'none',
    logLevel: 'warning',
  });
  for (const name of readdirSync(source)) {
    if (asTheyAre.includes(extname(name))) copyFileSync(join(source, name), join(folder, name));
  }
  for (const name of readdirSync(folder)) {
    if (extname(name) === '.png') continue;
    const content = readFileSync(join(folder, name));
    writeFileSync(join(folder, `${name}.br`), brotliCompressSync(content));
    writeFileSync(join(folder, `${name}.gz`), gzipSync(content, { level: 9 }));
  }
  return metafile.outputs;
}

/** Into the folder that is there: a service that runs from it may be reading. What is the same stays as it is, so that an image's layer does too. */
function publish(fresh) {
  const from = list(fresh);
  for (const name of list(uploadUiApp)) {
    if (!from.includes(name)) rmSync(join(uploadUiApp, name));
  }
  for (const name of from) {
    const [made, standing] = [join(fresh, name), join(uploadUiApp, name)];
    if (existsSync(standing) && readFileSync(standing).equals(readFileSync(made))) continue;
    mkdirSync(dirname(standing), { recursive: true });
    // It runs as another user than the one who builds.
    chmodSync(dirname(standing), 0o755);
    chmodSync(made, 0o644);
    renameSync(made, standing);
  }
}

function list(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}
