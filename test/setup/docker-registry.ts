import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cached } from '../../src/adapters/debian/cache.ts';
import { cacheFolder } from '../../src/home.ts';
import { freePort } from './ports.ts';
import { runProcess, startProcess } from './process.ts';

/** A registry on loopback, which an engine uses without TLS; gone at the end of its `await using` scope. */
export interface DockerRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly address: string;
}

/** Starts Debian's `docker-registry`, out of its unpacked package, so that nothing of it stays installed or enabled. */
export async function startDockerRegistry(): Promise<DockerRegistry> {
  const program = join(await unpacked('docker-registry'), 'usr/bin/docker-registry');
  const data = await mkdtemp(join(tmpdir(), 'aixcl-registry-'));
  const address = `127.0.0.1:${await freePort()}`;
  const config = join(data, 'config.yml');
  await writeFile(
    config,
    `version: 0.1\nstorage: {filesystem: {rootdirectory: ${data}}}\nhttp: {addr: "${address}"}\nlog: {level: error}\n`,
  );
  const { child, outcome } = startProcess(program, ['serve', config], { env: process.env });
  const stop = async () => {
    child.kill();
    await outcome;
    await rm(data, { recursive: true });
  };
  for (let tries = 0; ; tries += 1) {
    const up = await fetch(`http://${address}/v2/`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (up) return { address, [Symbol.asyncDispose]: stop };
    if (tries > 100) {
      await stop();
      throw new Error(`the registry did not come up: ${(await outcome).stderr}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Tree of a Debian package, kept in the cache folder. */
async function unpacked(name: string): Promise<string> {
  const tree = join(cacheFolder(), 'test', name);
  await cached(tree, 100e6, async (scratch) => {
    await mkdir(join(scratch, 'download'), { recursive: true });
    const download = () =>
      runProcess('apt-get', ['download', name], { cwd: join(scratch, 'download'), env: process.env });
    if ((await download()).code !== 0) {
      await runProcess('apt-get', ['update'], { env: process.env });
      const { code, stderr } = await download();
      if (code !== 0) throw new Error(`${name} can't be downloaded: ${stderr}`);
    }
    const [archive = ''] = await readdir(join(scratch, 'download'));
    const { code, stderr } = await runProcess(
      'dpkg-deb',
      ['--extract', join(scratch, 'download', archive), scratch],
      { env: process.env },
    );
    if (code !== 0) throw new Error(`${archive} can't be unpacked: ${stderr}`);
    await rm(join(scratch, 'download'), { recursive: true });
  });
  return tree;
}
