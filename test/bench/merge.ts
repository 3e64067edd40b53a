import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { llamaBase, loraAdapter, write } from '../setup/lora-model.ts';
import { measure } from './measured.ts';

/** 2 GiB of F16: the layers of an 8B llama, seven of them, as a vocabulary takes no arithmetic. */
const base = { type: 'F16', layers: 5, width: 4096, feedForward: 14336 } as const;
const gateBytes = 600e6;

/**
 * `npm run bench -- merge`: merging a rank-16 adapter of all layers into a base of 2 GiB, against copying that base and syncing it. On
 * `AIXCL_BENCH_DIR`, or where temporary files lie. Answers how many aims were missed.
 */
export async function benchMerge(wantedRuns: number): Promise<number> {
  const root = await mkdtemp(join(process.env.AIXCL_BENCH_DIR ?? tmpdir(), 'aixcl-bench-'));
  try {
    const from = await write(llamaBase(base), join(root, 'base.gguf'));
    const adapter = await write(
      loraAdapter(base, { type: 'F16', rank: 16, alpha: 32 }),
      join(root, 'adapter.gguf'),
    );
    const [merged, copy] = [join(root, 'merged.gguf'), join(root, 'copy.gguf')];
    const program = join(dirname(process.argv[1] as string), 'merge-work.mjs');
    process.stderr.write(`bench: a base of ${((await stat(from)).size / 2 ** 30).toFixed(2)} GiB\n`);
    const clear = async () => {
      for (const path of [merged, copy]) await rm(path, { force: true });
    };
    return await measure(
      {
        name: 'merge, rank 16',
        ours: { name: 'aixcl', command: [process.execPath, program, from, adapter, merged], before: clear },
        theirs: {
          name: 'cp + fsync',
          command: ['sh', '-ec', `cp ${from} ${copy}; sync ${copy}`],
          before: clear,
        },
        gateBytes,
      },
      Math.max(3, Math.round(wantedRuns / 5)),
    );
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
