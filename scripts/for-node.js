import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** How esbuild makes one script for Node.js of what runs there. */
export const forNode = {
  absWorkingDir: root,
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  // Node 20 knows them; rewritten as calls they would be compiled on every start.
  supported: { 'regexp-set-notation': true, 'regexp-unicode-property-escapes': true },
  minify: true,
  metafile: true,
  legalComments: 'none',
  banner: { js: "const __url=require('node:url').pathToFileURL(__filename).href;" },
  define: {
    AIXCL_VERSION: JSON.stringify(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version),
    'import.meta.url': '__url',
  },
  logLevel: 'warning',
};
