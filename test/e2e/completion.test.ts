import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { writeSelfTestModel } from '../../src/models/self-test-model.ts';
import { aixcl, makeHome, runProcess, seedStore, type TestHome } from '../setup/engine-test.ts';

const program = fileURLToPath(new URL('../../bin/aixcl.js', import.meta.url));

/** What bash itself offers for a line that ends at the cursor: its words as bash splits them, the colon being one of its breaks. */
async function offered(home: TestHome, line: string): Promise<string[]> {
  const bin = join(home.root, 'bin');
  await mkdir(bin, { recursive: true });
  await symlink(program, join(bin, 'aixcl')).catch(() => {});
  const script = `
    source <(aixcl completion bash)
    COMP_LINE=$1 COMP_POINT=\${#1}
    read -ra COMP_WORDS <<< "\${COMP_LINE//:/ : }"
    [[ $COMP_LINE == *' ' ]] && COMP_WORDS+=('')
    COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
    compopt() { echo ":$*"; }
    _aixcl
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const env = { PATH: `${bin}:${process.env.PATH}`, HOME: home.root, ...home.env };
  const { stdout, stderr, code } = await runProcess('bash', ['-c', script, 'bash', line], { env });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.split('\n').filter((each) => each !== '');
}

describe('completion in bash', () => {
  test('offers commands, options, names of models of both runtimes, and files', async () => {
    await using home = await makeHome();
    await mkdir(home.models);
    await writeSelfTestModel(join(home.models, 'a b.gguf'), 'a');
    await seedStore(home.ollama, 'tea:small');
    expect(await offered(home, 'aixcl mod')).toEqual(['models']);
    expect(await offered(home, 'aixcl models rem')).toEqual(['remove']);
    expect(await offered(home, 'aixcl models list --off')).toEqual(['--offline']);
    expect(await offered(home, 'aixcl models show ')).toEqual(['a\\ b.gguf', 'tea:small']);
    expect(await offered(home, 'aixcl models show te')).toEqual(['tea:small']);
    expect(await offered(home, 'aixcl models show tea:s')).toEqual(['small']);
    expect(await offered(home, 'aixcl models add ')).toEqual([':-o default']);
    expect(await offered(home, 'aixcl service restart up')).toEqual(['upload-ui']);
  });

  test('says nothing where a home can not be read, and never an error', async () => {
    await using home = await makeHome();
    await writeFile(home.models, 'no folder');
    expect(await offered(home, 'aixcl models show ')).toEqual([]);
  });
});

test('a shell that aixcl does not know is exit 2', async () => {
  await using home = await makeHome();
  expect(await aixcl(['completion', 'tcsh'], { home })).toMatchObject({ code: 2 });
});
