/**
 * `npm test -- ARGS…`: all tests (ARGS go to vitest), on a fresh clone too. The last line of output is
 * `N passed, N failed, N skipped`, from vitest's own report.
 *
 * Tests that passed only when run again (vitest.config.ts says which may) are named.
 *
 * No test executed is a failure; so is a skipped one where `CI` is set: there everything can be had, so nothing may be left out.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrap, run } from './bootstrap.js';

await bootstrap();
const folder = mkdtempSync(join(tmpdir(), 'aixcl-report-'));
try {
  const report = join(folder, 'report.json');
  const reporters = ['default', './scripts/second-tries.js', 'json'].map((name) => `--reporter=${name}`);
  const code = await run('vitest', [
    'run',
    ...reporters,
    `--outputFile.json=${report}`,
    ...process.argv.slice(2),
  ]);
  const counts = count(report);
  const reason = whyFailed(counts);
  if (reason) process.stderr.write(`${reason}\n`);
  process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
  process.exitCode = code || (reason ? 1 : 0);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function count(report) {
  try {
    const found = JSON.parse(readFileSync(report, 'utf8'));
    return {
      passed: found.numPassedTests,
      failed: found.numFailedTests,
      skipped: found.numPendingTests + found.numTodoTests,
    };
  } catch {
    // Vitest died before it could report.
    return { passed: 0, failed: 0, skipped: 0 };
  }
}

function whyFailed({ passed, failed, skipped }) {
  if (passed + failed === 0) return 'No test was executed.';
  if (process.env.CI && skipped > 0) return 'CI is set: a skipped test is a failure.';
  return undefined;
}
