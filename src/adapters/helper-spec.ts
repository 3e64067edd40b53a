import { labels } from '../labels.ts';
import { bareContainer } from '../stack/bare-container.ts';
import type { ContainerSpec, MountSpec } from '../stack/engine.ts';

/** What a helper sees of the machine: a folder, or a volume that is there. */
export type HelperMount =
  | { readonly kind: 'folder'; readonly path: string; readonly target: string; readonly readOnly: boolean }
  | { readonly kind: 'volume'; readonly name: string; readonly target: string; readonly readOnly: boolean };

export interface HelperWish {
  /** AIXCL_HOME. */
  readonly home: string;
  /** Of the journal, or what else says whose work it does. */
  readonly operation: string;
  /** Images that may serve, the likeliest first: references or ids. What is not here is passed over. */
  readonly images: readonly string[];
  readonly mounts: readonly HelperMount[];
  readonly signal: AbortSignal;
}

/** A program that a helper is to be, in place of waiting for scripts. */
export interface Program {
  readonly argv: readonly string[];
  /** As Compose spells it; absent: the image's. */
  readonly user?: string | undefined;
}

/** It ends by itself after a day, whatever becomes of us. */
const longestLife = '86400';

/** Rights of root over other users' files: to write in their folders, and to give them what was made, with any mode. */
const capabilities = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID'];

/** Root over its mounts alone, with no network; waits for scripts. */
export function helperSpec(wish: HelperWish, image: string): ContainerSpec {
  return bareContainer({
    image,
    seconds: longestLife,
    labels: { [labels.home]: wish.home, [labels.operation]: wish.operation },
    mounts: wish.mounts.map(mountOf),
    user: '0:0',
    restart: { name: 'no' },
    capAdd: capabilities,
    init: false,
  });
}

/** The same with a program in place of waiting, and without root's rights. */
export function programSpec(wish: HelperWish, image: string, { argv, user }: Program): ContainerSpec {
  const [first = '', ...rest] = argv;
  const { user: _root, capAdd: _none, ...spec } = helperSpec(wish, image);
  return {
    ...spec,
    entrypoint: [first],
    command: rest,
    capAdd: [],
    logging: { driver: 'json-file', options: new Map([['max-size', '10m']]) },
    ...(user !== undefined && { user }),
  };
}

function mountOf(mount: HelperMount): MountSpec {
  const { target, readOnly } = mount;
  return mount.kind === 'volume'
    ? { kind: 'volume', name: mount.name, target, readOnly, noCopy: true }
    : { kind: 'bind', source: mount.path, target, readOnly, createSource: false };
}
