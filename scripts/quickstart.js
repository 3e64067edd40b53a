/** `npm run quickstart -- ARGS…`: from a fresh clone to `aixcl quickstart ARGS…`. */
import { bootstrap, root, run } from './bootstrap.js';

await bootstrap();
const args = [`${root}/bin/aixcl.js`, 'quickstart', ...process.argv.slice(2)];
process.exitCode = await run(process.execPath, args, { input: 'inherit' });
