import { child, items, type Node, text } from './node.ts';
import { ValueReader } from './read-value.ts';
import { absolutePath, type Setting, withoutAbsent } from './setting.ts';
import type { MountDefinition } from './types.ts';
import { cleanTarget } from './volume-spec.ts';

type Bind = Extract<MountDefinition, { kind: 'bind' }>;
type Volume = Extract<MountDefinition, { kind: 'volume' }>;
type Tmpfs = Extract<MountDefinition, { kind: 'tmpfs' }>;

/** Mounts of `volumes:`, then of `tmpfs:`. Two at one target are a problem. */
export function buildMounts(
  volumes: Node | undefined,
  tmpfs: Node | undefined,
  setting: Setting,
): MountDefinition[] {
  const read = new ValueReader(setting.problems);
  const found: [MountDefinition, Node][] = [
    ...items(volumes).map((node): [MountDefinition, Node] => [buildMount(node, read, setting), node]),
    ...items(tmpfs).map((node): [MountDefinition, Node] => [buildTmpfs(text(node) ?? ''), node]),
  ];
  const targets = new Map<string, Node>();
  for (const [{ target }, node] of found) {
    const first = targets.get(target);
    if (first)
      setting.problems.add(node.at, `something is mounted at ${target} already, see ${first.at.path}`);
    targets.set(target, first ?? node);
  }
  return found.map(([mount]) => mount);
}

function buildMount(node: Node, read: ValueReader, setting: Setting): MountDefinition {
  const get = (key: string) => child(node, key);
  const source = text(get('source'));
  const target = text(get('target')) ?? '';
  const readOnly = read.flag(get('read_only')) ?? false;
  const type = text(get('type'));
  if (type === 'tmpfs') {
    return withoutAbsent<Tmpfs>({
      kind: 'tmpfs',
      target,
      size: read.bytes(child(get('tmpfs'), 'size')),
      mode: read.integer(child(get('tmpfs'), 'mode'), 0),
      options: readOnly ? 'ro' : undefined,
    });
  }
  if (type === 'bind') {
    const bind = get('bind');
    return withoutAbsent<Bind>({
      kind: 'bind',
      source: absolutePath(source ?? '', setting),
      target,
      readOnly,
      createSource: read.flag(child(bind, 'create_host_path')) ?? false,
      propagation: text(child(bind, 'propagation')),
      selinux: text(child(bind, 'selinux')) as Bind['selinux'],
    });
  }
  return withoutAbsent<Volume>({
    kind: 'volume',
    source: source || undefined,
    target,
    readOnly,
    noCopy: read.flag(child(get('volume'), 'nocopy')) ?? false,
  });
}

function buildTmpfs(spec: string): Tmpfs {
  const colon = spec.indexOf(':');
  if (colon < 0) return { kind: 'tmpfs', target: cleanTarget(spec) };
  return { kind: 'tmpfs', target: cleanTarget(spec.slice(0, colon)), options: spec.slice(colon + 1) };
}
