import type { BigIntStats } from 'node:fs';
import type { FileIdentity } from '../../vault/evidence.ts';

export function identityOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): FileIdentity {
  return {
    device: String(dev),
    inode: String(ino),
    size: Number(size),
    mtime: String(mtimeNs),
    ctime: String(ctimeNs),
  };
}

export function sameInode(a: FileIdentity, b: FileIdentity): boolean {
  return a.device === b.device && a.inode === b.inode;
}

/** The same inode, whose content nobody wrote to, though it may have got or lost a name. */
export function sameContent(a: FileIdentity, b: FileIdentity): boolean {
  return sameInode(a, b) && a.size === b.size && a.mtime === b.mtime;
}

export function unchanged(a: FileIdentity, b: FileIdentity): boolean {
  return sameContent(a, b) && a.ctime === b.ctime;
}
