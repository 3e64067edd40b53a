/** `aixcl ui` and what `stack start` says of the page: an address that lets one browser in. */
import { readdir, stat } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import {
  aixcl,
  describeEngine,
  docker,
  engineTest,
  makeHome,
  pageImage,
  resetEngine,
} from '../setup/engine-test.ts';
import { ok } from './llama-stack.ts';

const service = 'upload-ui';

describeEngine("the page's address", () => {
  engineTest('lets one browser in, once; its session outlives the service', async () => {
    await resetEngine();
    await using home = await makeHome({ page: await pageImage() });
    const early = await aixcl(['ui', '--format', 'json'], { home });
    expect([early.code, early.stdout]).toEqual([12, '']);
    expect(JSON.parse(early.stderr)).toMatchObject({
      code: 'notRunning',
      hint: `aixcl service start ${service}`,
    });

    const started = await ok(home, 'service', 'start', service);
    const [, told = ''] = /^upload-ui\s+(\S+)$/m.exec(started.stdout) ?? [];
    expect(told).toMatch(new RegExp(`^http://127\\.0\\.0\\.1:${home.ports.page}/\\?token=[\\w-]{43}$`));
    const first = await fetch(told, { redirect: 'manual' });
    expect([first.status, first.headers.get('location')]).toEqual([303, '/']);
    expect((await fetch(told, { redirect: 'manual' })).status).toBe(401);

    const again = await ok(home, 'service', 'start', service);
    expect(again.stdout).toMatch(/\?token=[\w-]{43}$/m);
    expect(again.stdout).not.toContain(told);
    const asJson = await ok(home, 'service', 'start', service, '--format', 'json');
    expect(asJson.stdout).not.toContain('token');

    const cookie = (first.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    await docker(['restart', service]);
    await ok(home, 'stack', 'start', service);
    const page = await fetch(new URL('/', told), { headers: { cookie } });
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const { stdout, stderr } = await docker(['logs', service]);
    expect(stdout + stderr).toContain('GET / 303');
    expect(stdout + stderr).not.toContain(told.split('=')[1]);
  });

  engineTest('is printed alone, for whoever opens it; its token is for the page alone to read', async () => {
    await resetEngine();
    await using home = await makeHome({ page: await pageImage() });
    await ok(home, 'service', 'start', service);
    const { stdout } = await ok(home, 'ui');
    expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{43}\n$/);
    const { json } = await ok(home, 'ui', '--format', 'json');
    expect(json).toEqual([{ type: 'ui', url: expect.any(String), expires: expect.any(String) }]);
    const left = Date.parse(String(json[0]?.expires)) - Date.now();
    expect(left).toBeGreaterThan(59 * 60_000);
    expect(left).toBeLessThanOrEqual(60 * 60_000);

    const { uid } = await stat(home.models);
    const folder = join(home.root, 'page', 'tokens');
    const paths = [folder, ...(await readdir(folder)).map((name) => join(folder, name))];
    expect(paths.length).toBeGreaterThan(3);
    for (const path of paths) {
      const found = await stat(path);
      expect([found.uid, found.mode & 0o777]).toEqual([uid, found.isDirectory() ? 0o700 : 0o600]);
    }

    await ok(home, 'service', 'stop', service);
    expect((await aixcl(['ui'], { home })).code).toBe(12);
  });

  engineTest('is what it is bound to, and says when the page does not answer to that name', async () => {
    await resetEngine();
    await using home = await makeHome({ page: await pageImage() });
    const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
    const address = own.find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? '0.0.0.0';
    const bound = { ...home, env: { ...home.env, AIXCL_BIND: address } };
    await ok(bound, 'service', 'start', service);
    const refused = await ok(bound, 'ui');
    expect(refused.stdout).toContain(`http://${address}:${home.ports.page}/?token=`);
    expect(refused.stderr).toContain(`AIXCL_ALLOWED_HOSTS=${address}`);
    expect((await fetch(refused.stdout.trim(), { redirect: 'manual' })).status).toBe(421);

    const allowed = { ...bound, env: { ...bound.env, AIXCL_ALLOWED_HOSTS: address } };
    await ok(allowed, 'service', 'start', service);
    const told = await ok(allowed, 'ui');
    expect(told.stderr).toBe('');
    expect((await fetch(told.stdout.trim(), { redirect: 'manual' })).status).toBe(303);
  });
});
