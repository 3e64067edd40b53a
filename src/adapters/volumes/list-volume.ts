import type { WorkOptions } from '../../vault/vault.ts';
import type { FolderTree, Owned, TreeFile, TreeFolder, TreeLink } from '../folders/tree.ts';
import type { HelperContainer } from '../helper-container.ts';

/** Where a helper sees the volume. */
export const volumeTarget = '/volume';

/** Some 300,000 entries. */
const longestList = 64 * 2 ** 20;

/**
 * For each folder its entries, a few at once: how many, a line of `stat` each, their names with a NUL behind each, and where links lead.
 * Anything may be a name, so that nothing is told by lines.
 */
const script = `
tell() {
  echo "$#"
  stat -c '%f %s %u %g %i %h %y|%z' -- "$@"
  printf '%s\\0' "$@"
  for each; do
    [ -L "$each" ] || continue
    leads=$(readlink -n -- "$each"; echo x)
    printf '%s\\0' "\${leads%x}"
  done
}
look() {
  folder=$1
  set --
  for each in "$folder"/* "$folder"/.[!.]* "$folder"/..?*; do
    if [ -e "$each" ] || [ -L "$each" ]; then set -- "$@" "$each"; fi
    if [ $# -ge 64 ]; then tell "$@"; set --; fi
  done
  if [ $# -gt 0 ]; then tell "$@"; fi
  for each in "$folder"/* "$folder"/.[!.]* "$folder"/..?*; do
    if [ -d "$each" ] && [ ! -L "$each" ]; then look "$each"; fi
  done
}
tell "$1"
look "$1"
echo end
`;

/** All that lies in a volume, as a running helper sees it. */
export async function listVolume(
  helper: HelperContainer,
  { signal }: Pick<WorkOptions, 'signal'>,
): Promise<FolderTree> {
  const output = await helper.run(script, [volumeTarget], signal, { limit: longestList });
  return treeOf(output);
}

/** Throws for output that is not whole. */
export function treeOf(output: string): FolderTree {
  const reader = new Reader(output);
  const files: TreeFile[] = [];
  const folders: TreeFolder[] = [];
  const links: TreeLink[] = [];
  const odd: { path: string; why: string }[] = [];
  const owned = new Map<string, Owned>();
  const filled = new Set<string>();
  for (let count = reader.line(); count !== 'end'; count = reader.line()) {
    const stats = Array.from({ length: Number(count) }, () => reader.line());
    const paths = stats.map(() => reader.text().slice(volumeTarget.length + 1));
    for (const [index, path] of paths.entries()) {
      const entry = entryOf(stats[index]!);
      if (path !== '') filled.add(path.slice(0, Math.max(0, path.lastIndexOf('/'))));
      const isLink = entry.kind === link;
      const target = isLink ? reader.text() : '';
      // What is no UTF-8 has become this.
      if (path.includes('\ufffd')) odd.push({ path, why: 'its name is not UTF-8' });
      else if (target.includes('\ufffd')) odd.push({ path, why: 'where it leads is not UTF-8' });
      else if (isLink) links.push({ path, target });
      else if (entry.kind === folder) folders.push({ path, mode: entry.bits & 0o777, mtime: entry.mtime });
      else if (entry.kind === regular) files.push(fileOf(path, entry));
      else odd.push({ path, why: 'it is neither file, folder nor link' });
      const { uid, gid, bits, mtime } = entry;
      owned.set(path, { uid, gid, bits, mtime });
    }
  }
  const emptyFolders = folders.flatMap(({ path }) => (path === '' || filled.has(path) ? [] : [path]));
  return { files, folders, links, odd, owned, emptyFolders };
}

/** Types of inode(7). */
const [folder, regular, link] = [0o040000, 0o100000, 0o120000];

interface Entry extends Owned {
  readonly kind: number;
  readonly size: number;
  readonly inode: string;
  readonly names: number;
  /** Nanoseconds since 1970. */
  readonly times: { readonly mtime: string; readonly ctime: string };
}

function entryOf(line: string): Entry {
  const [numbers, changed = ''] = line.split('|');
  const [raw = '', size, uid, gid, inode = '', names, ...modified] = (numbers ?? '').split(' ');
  const mode = Number.parseInt(raw, 16);
  const times = { mtime: nanoseconds(modified.join(' ')), ctime: nanoseconds(changed) };
  return {
    kind: mode & 0o170000,
    bits: mode & 0o7777,
    size: Number(size),
    uid: Number(uid),
    gid: Number(gid),
    inode,
    names: Number(names),
    mtime: Number(BigInt(times.mtime) / 1000n) / 1000,
    times,
  };
}

function fileOf(path: string, { bits, size, inode, names, mtime, times }: Entry): TreeFile {
  return {
    path,
    // Which device that is, is the same for all of a volume.
    identity: { device: '', inode, size, ...times },
    modified: new Date(mtime),
    mode: bits & 0o777,
    mtime,
    executable: (bits & 0o100) !== 0,
    names,
  };
}

/** Of `2026-01-31 12:00:00.123456789 +0000`, as `stat` writes it. */
function nanoseconds(text: string): string {
  const [, day, time, fraction = '', hours, minutes] =
    /^(\S+) (\d\d:\d\d:\d\d)(?:\.(\d+))? ([+-]\d\d)(\d\d)$/.exec(text) ?? [];
  if (!day || !hours) throw new Error(`stat says ${JSON.stringify(text)}, which is no time`);
  const seconds = Date.parse(`${day}T${time}${hours}:${minutes}`) / 1000;
  return String(BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0').slice(0, 9)));
}

class Reader {
  readonly #output: string;
  #at = 0;

  constructor(output: string) {
    this.#output = output;
  }

  line(): string {
    return this.#upTo('\n');
  }

  text(): string {
    return this.#upTo('\0');
  }

  #upTo(mark: string): string {
    const end = this.#output.indexOf(mark, this.#at);
    if (end < 0) throw new Error('the list of a volume is not whole');
    const found = this.#output.slice(this.#at, end);
    this.#at = end + 1;
    return found;
  }
}
