import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from '../../src/adapters/debian/cache.ts';
import { debootstrap } from '../../src/adapters/debian/debootstrap.ts';
import { type Report, runCommand } from '../../src/adapters/debian/run-command.ts';
import { cacheFolder } from '../../src/home.ts';

const packages = ['docker.io', 'docker-cli', 'docker-compose', 'iptables'];

/**
 * A tree with the newest Debian's Docker engine and Compose in it, kept in the cache folder. Its packages are only unpacked: nothing is
 * run inside, its programs are run from outside (`composeScript`, `currentEngineCommand`).
 */
export async function debianRoot(report: Report): Promise<string> {
  const root = join(cacheFolder(), 'test', 'debian-root');
  await cached(root, 900e6, async (scratch) => {
    const downloads = `${scratch}.packages`;
    try {
      await debootstrap(downloads, { packages, report, downloadOnly: true });
      await mkdir(scratch);
      const archives = join(downloads, 'var/cache/apt/archives');
      for (const name of await readdir(archives)) {
        if (!name.endsWith('.deb')) continue;
        report(`Unpacking ${name}`);
        await runCommand('dpkg-deb', ['--extract', join(archives, name), scratch]);
      }
      // Made by its installation, not by unpacking; leads to the machine's own choice between nft and legacy.
      for (const name of ['iptables', 'ip6tables']) {
        await symlink(`/etc/alternatives/${name}`, join(scratch, 'usr/sbin', name));
      }
    } finally {
      await rm(downloads, { recursive: true, force: true });
    }
  });
  return root;
}

/** Writes a program `docker-compose` into `directory` that runs the tree's Compose with the tree's own C library. */
export async function composeScript(root: string, directory: string): Promise<string> {
  const { loader, libraries } = await cLibrary(root);
  const compose = join(root, 'usr/libexec/docker/cli-plugins/docker-compose');
  const script = join(directory, 'docker-compose');
  await writeFile(script, `#!/bin/sh\nexec '${loader}' --library-path '${libraries}' '${compose}' "$@"\n`, {
    mode: 0o755,
  });
  return script;
}

/**
 * The tree's `dockerd`, with its containerd and runc: they start themselves again through /proc/self/exe, so they run in a mount namespace
 * where the tree's /usr lies over the machine's, and all else is the machine's.
 */
export function currentEngineCommand(root: string): string[] {
  const script = `mount --bind '${root}/usr' /usr && exec dockerd "$@"`;
  return ['unshare', '--mount', '--propagation', 'slave', 'sh', '-c', script, 'dockerd'];
}

async function cLibrary(root: string): Promise<{ loader: string; libraries: string }> {
  const candidates = {
    'x86_64-linux-gnu': 'usr/lib64/ld-linux-x86-64.so.2',
    'aarch64-linux-gnu': 'usr/lib/ld-linux-aarch64.so.1',
  };
  for (const [triplet, file] of Object.entries(candidates)) {
    const loader = join(root, file);
    if (existsSync(loader)) return { loader, libraries: join(root, 'usr/lib', triplet) };
  }
  throw new Error(`no C library known for ${process.arch} in ${root}`);
}
