/** `npm run test:faults -- ARGS…`: all faults, at every step where `npm test` takes some of them. Takes an hour. */
import { bootstrap, run } from './bootstrap.js';

await bootstrap();
process.exitCode = await run('vitest', ['run', '--project', 'faults', ...process.argv.slice(2)], {
  env: { AIXCL_FAULTS: 'all' },
});
