/** `npm run test:faults -- ARGS…`: all faults, at every step where `npm test` takes some of them. Takes an hour. */
import { bootstrap, run } from './bootstrap.js';

await bootstrap();
const given = process.argv.slice(2);
// Those on an engine are a part of the engine tests.
const files = given.length > 0 ? given : ['test/faults/', 'test/property/'];
process.exitCode = await run('vitest', ['run', '--project', 'faults', '--project', 'engine', ...files], {
  env: { AIXCL_FAULTS: 'all' },
});
