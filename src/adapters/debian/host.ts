import { readFile } from 'node:fs/promises';

/** What kind of system this process runs on, as far as Debian's packages are concerned. */
export interface DebianHost {
  /** `debian`, or `ubuntu` for Ubuntu and what derives from it. */
  readonly family: 'debian' | 'ubuntu';
  /** `Debian GNU/Linux 12 (bookworm)`. */
  readonly name: string;
}

/** The host when it is Debian, Ubuntu or a derivative of these; `undefined` elsewhere. Source: os-release(5). */
export async function debianHost(file = '/etc/os-release'): Promise<DebianHost | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, key, value] = /^([A-Z_]+)=["']?(.*?)["']?$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) fields.set(key, value);
  }
  const ids = [fields.get('ID') ?? '', ...(fields.get('ID_LIKE') ?? '').split(' ')];
  const family = ids.includes('ubuntu') ? 'ubuntu' : ids.includes('debian') ? 'debian' : undefined;
  return family && { family, name: fields.get('PRETTY_NAME') ?? family };
}

/** Why packages can't be installed on this host; `undefined` when they can. */
export async function whyNoPackages(): Promise<string | undefined> {
  if (!(await debianHost())) return 'this system is neither Debian nor Ubuntu';
  if (process.getuid?.() !== 0) return 'this needs root';
  return undefined;
}
