import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { debootstrap } from './debootstrap.ts';
import { removeTree } from './mounts.ts';
import { type Report, runCommand } from './run-command.ts';

/** Makes `file`, a tar of a minimal Debian with `packages`, from which an engine imports an image. Its tree lies beside it meanwhile. */
export async function packRoot(
  file: string,
  packages: readonly string[],
  { report, signal }: { readonly report: Report; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const tree = `${file}.tree`;
  try {
    await debootstrap(tree, { packages, report, signal });
    report('Packing the image');
    await trim(tree);
    await runCommand(
      'tar',
      ['--create', '--file', file, '--numeric-owner', '--sort=name', ...left, '--directory', tree, '.'],
      {
        signal,
      },
    );
  } finally {
    await removeTree(tree);
  }
}

/** The engine brings these itself. */
const left = ['./dev', './proc', './sys'].map((path) => `--exclude=${path}/*`);

/** What a container of one program never reads. Licences (`copyright`) stay. */
async function trim(tree: string): Promise<void> {
  for (const folder of [
    'var/lib/apt/lists',
    'var/cache/apt',
    'var/log',
    'usr/share/man',
    'usr/share/locale',
    'usr/share/info',
  ]) {
    const names = await readdir(join(tree, folder)).catch(() => []);
    for (const name of names) await rm(join(tree, folder, name), { recursive: true, force: true });
  }
  // The host's own, copied in for the time of the build.
  for (const file of ['resolv.conf', 'hostname']) await rm(join(tree, 'etc', file), { force: true });
  await runCommand('find', [join(tree, 'usr/share/doc'), '-type', 'f', '!', '-name', 'copyright', '-delete']);
}
