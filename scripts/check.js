/** `npm run check`: types, lint and format, and all tests; the same that CI runs. Tests run last, whatever came before. */
import { bootstrap, run } from './bootstrap.js';

await bootstrap();
const codes = [
  await run('tsc', ['--noEmit']),
  await run('tsc', ['--noEmit', '-p', 'src/upload/page']),
  await run('biome', ['check', '.']),
  await run('npm', ['test', '--silent', '--', ...process.argv.slice(2)]),
];
process.exitCode = codes.find((code) => code !== 0) ?? 0;
