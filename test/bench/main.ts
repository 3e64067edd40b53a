/**
 * `npm run bench -- [NAME…]`: ratios of medians of wall time, aixcl against what it is held against, on the tests' private engine.
 * `AIXCL_BENCH_RUNS` sets how many runs of each count (15; cold starts take a third, those of vault, uploads and merging a fifth). Those three
 * need no engine.
 */
import setup from '../setup/global.ts';
import { compare } from './compare.ts';
import { benchMerge } from './merge.ts';
import { stack } from './stack.ts';
import { startUp } from './start-up.ts';
import { benchUpload } from './upload.ts';
import { benchVault } from './vault.ts';

const runs = Number(process.env.AIXCL_BENCH_RUNS ?? 15);
const wanted = process.argv.slice(2);
let missed = 0;
const without = { merge: benchMerge, vault: benchVault, upload: benchUpload };
let left = wanted;
for (const [kind, bench] of Object.entries(without)) {
  const names = wanted.filter((name) => name.startsWith(kind));
  left = left.filter((name) => !names.includes(name));
  if (wanted.length === 0 || names.length > 0) missed += await bench(runs, names);
}
const tearDown = wanted.length > 0 && left.length === 0 ? undefined : await setup();
try {
  const others = tearDown ? [...startUp(runs), ...(await stack(runs))] : [];
  for (const comparison of others) {
    if (wanted.length > 0 && !wanted.some((name) => comparison.name.includes(name))) continue;
    const { ours, theirs, ratio } = await compare(comparison);
    const met = ratio <= comparison.aim;
    missed += met ? 0 : 1;
    process.stdout.write(
      `${comparison.name.padEnd(34)} ${ratio.toFixed(2)} x ${comparison.theirs.name} ` +
        `(${ours.toFixed(0)} ms against ${theirs.toFixed(0)} ms; aim ${comparison.aim.toFixed(1)}${met ? '' : ', missed'})\n`,
    );
  }
} finally {
  await tearDown?.();
}
if (missed > 0) process.stdout.write(`${missed} missed\n`);
