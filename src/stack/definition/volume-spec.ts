import { posix } from 'node:path';

export interface VolumeSpec {
  readonly type: 'bind' | 'volume';
  readonly source?: string;
  readonly target: string;
  readonly readOnly: boolean;
  readonly noCopy: boolean;
  readonly propagation?: string;
  readonly selinux?: string;
}

/**
 * A short form, `[SOURCE:]TARGET[:OPTION,…]`. A source that begins like a path (`.`, `/`, `~`) is a bind mount, any other names a volume.
 * Answers a reason (a string) where it is none. Options that Compose does not know it ignores, and so do we.
 */
export function parseVolume(spec: string): VolumeSpec | string {
  const parts = spec.split(':');
  if (parts.includes('')) return `an empty section between colons in "${spec}"`;
  if (parts.length > 3) return `too many colons in "${spec}"`;
  const [source, target] = parts.length === 1 ? [undefined, parts[0]!] : [parts[0], parts[1]!];
  const options = parts[2]?.split(',') ?? [];
  const propagation = options.findLast((option) => /^r?(private|shared|slave)$/.test(option));
  const selinux = options.findLast((option) => /^z$/i.test(option));
  const access = options.findLast((option) => option === 'ro' || option === 'rw');
  return {
    type: source && /^[./~]/.test(source) ? 'bind' : 'volume',
    ...(source === undefined ? {} : { source }),
    target: cleanTarget(target),
    readOnly: access === 'ro',
    noCopy: options.includes('nocopy'),
    ...(propagation ? { propagation } : {}),
    ...(selinux ? { selinux } : {}),
  };
}

/** A path in a container, without `.`, `..` and a slash at its end. */
export function cleanTarget(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}
