import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { aixcl, compose, describeEngine, engineTest, makeHome } from '../setup/engine-test.ts';

const shipped = fileURLToPath(new URL('../../services/compose.yaml', import.meta.url));

describeEngine('the definition', () => {
  engineTest('that is shipped is valid for docker compose, without any settings', async () => {
    await using home = await makeHome();
    const outcome = await compose(['-f', shipped, 'config', '-q'], {
      cwd: home.root,
      env: { HOME: home.root },
    });
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
  });

  engineTest(
    'with an unknown key is exit 2, naming file, line, column and the key that was meant',
    async () => {
      await using home = await makeHome();
      const file = join(home.root, 'wrong.yaml');
      await writeFile(file, 'services:\n  web:\n    imagee: nginx\n');
      const outcome = await aixcl(['-f', file, 'stack', 'start'], { home });
      expect(outcome.code).toBe(2);
      expect(outcome.stderr).toContain(`${file}:3:5`);
      expect(outcome.stderr).toContain('imagee');
      expect(outcome.stderr).toContain('"image"');
      expect(outcome.stderr).not.toMatch(/\n\s+at /);
    },
  );

  engineTest("of the user's own override is merged, and its errors are named in its own file", async () => {
    await using home = await makeHome();
    const override = join(home.root, 'compose.override.yaml');
    await writeFile(
      override,
      'services:\n  llama-server:\n    environment:\n      MINE: "1"\n  extra:\n    prots: []\n',
    );
    const wrong = await aixcl(['stack', 'start', '--dry-run'], { home });
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain(`${override}:6:5`);
  });
});
