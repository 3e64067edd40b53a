/** `npm run bench -- [NAME…]`: the benchmarks in test/bench, on the tests' private engine. */
import { join } from 'node:path';
import { bootstrap, root, run } from './bootstrap.js';

await bootstrap();
const { build } = await import('esbuild');
// Inside node_modules, so that the libraries left out of the bundle are found.
const outdir = join(root, 'node_modules', '.cache', 'bench');
await build({
  absWorkingDir: root,
  entryPoints: ['main', 'merge-work', 'vault-work', 'plain-server'].map((name) => `test/bench/${name}.ts`),
  outdir,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  packages: 'external',
  format: 'esm',
  platform: 'node',
  target: 'node20',
});
process.exitCode = await run(process.execPath, [join(outdir, 'main.mjs'), ...process.argv.slice(2)]);
