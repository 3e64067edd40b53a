import { child, items, list, map, type Node, scalar, text, withChild } from './node.ts';
import { isPortRange, parsePorts } from './port-spec.ts';
import type { Problems } from './problems.ts';
import { cleanTarget, parseVolume } from './volume-spec.ts';

/** Ports in long form, one entry for each port of a range. */
export function expandPorts(value: Node, problems: Problems): Node {
  const expanded = items(value).flatMap((item) => {
    if (item.kind === 'map') {
      checkPort(item, problems);
      return [item];
    }
    const ports = parsePorts(text(item) ?? '');
    if (typeof ports === 'string') {
      problems.add(item.at, ports, 'a port is [[IP:]HOST:]CONTAINER[/PROTOCOL]');
      return [];
    }
    return ports.map((port) =>
      map(
        {
          host_ip: port.hostIp === undefined ? undefined : scalar(port.hostIp, item.at),
          published: port.published === undefined ? undefined : scalar(port.published, item.at),
          target: scalar(port.target, item.at),
          protocol: scalar(port.protocol, item.at),
        },
        item.at,
      ),
    );
  });
  return list(expanded, value.at);
}

function checkPort(port: Node, problems: Problems): void {
  const target = child(port, 'target');
  if (!target) problems.add(port.at, 'a port without target');
  else if (!/^\d+$/.test(text(target) ?? '') || !isPortRange(text(target)!)) {
    problems.add(target.at, `"${text(target)}" is no port`);
  }
  const published = child(port, 'published');
  if (published && text(published) !== '' && !isPortRange(text(published) ?? '')) {
    problems.add(published.at, `"${text(published)}" is no port, nor a range of ports`);
  }
  const protocol = child(port, 'protocol');
  if (protocol && !/^(tcp|udp|sctp)$/.test(text(protocol) ?? '')) {
    problems.add(protocol.at, `unknown protocol "${text(protocol)}"`, 'tcp, udp or sctp');
  }
}

/** Mounts in long form. A short form never makes the engine create a missing directory. */
export function expandVolumes(value: Node, problems: Problems): Node {
  const expanded = items(value).flatMap((item) => {
    if (item.kind === 'map') return checkMount(item, problems);
    const volume = parseVolume(text(item) ?? '');
    if (typeof volume === 'string') {
      problems.add(item.at, volume, 'a volume is [SOURCE:]TARGET[:OPTIONS]');
      return [];
    }
    const { at } = item;
    const flag = (set: boolean) => (set ? scalar(true, at) : undefined);
    const word = (written: string | undefined) => (written === undefined ? undefined : scalar(written, at));
    return map(
      {
        type: scalar(volume.type, at),
        source: word(volume.source),
        target: scalar(volume.target, at),
        read_only: flag(volume.readOnly),
        bind:
          volume.type === 'bind'
            ? map({ propagation: word(volume.propagation), selinux: word(volume.selinux) }, at)
            : undefined,
        volume: volume.noCopy ? map({ nocopy: scalar(true, at) }, at) : undefined,
      },
      at,
    );
  });
  return list(expanded, value.at);
}

function checkMount(mount: Node, problems: Problems): Node[] {
  if (mount.kind !== 'map') return [];
  const type = text(child(mount, 'type'));
  const source = child(mount, 'source');
  const target = child(mount, 'target');
  if (!type)
    problems.add(mount.at, 'a mount without type', 'add "type: bind", "type: volume" or "type: tmpfs"');
  if (!text(target)) {
    problems.add(mount.at, 'a mount without target');
    return [];
  }
  if (type === 'bind' && !text(source)) problems.add(mount.at, 'a bind mount without source');
  if (type === 'tmpfs' && source) problems.add(source.at, 'a tmpfs has no source');
  return [withChild(mount, 'target', scalar(cleanTarget(text(target)!), target!.at))];
}
