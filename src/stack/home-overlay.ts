import { labels } from '../labels.ts';
import type { Adopted } from './adoption.ts';
import type { KeptVolume } from './volumes/kept-volumes.ts';

/**
 * What one home's stack differs in, in the shape of a Compose file, so that plain `docker compose` reads it too. Merged after
 * services/compose.yaml and before the user's own override.
 */
export interface HomeOverlay {
  readonly services?: Readonly<Record<string, OverlayService>>;
  /** Each stands for the whole: Compose merges no `external` with the driver of an earlier file. */
  readonly volumes?: Readonly<Record<string, OverlayVolume>>;
}

type OverlayVolume = ExternalVolume | ReturnType<typeof folderVolume>;

interface ExternalVolume {
  readonly name: string;
  readonly external: true;
  /** What the label `io.aixcl.holds` would say: an external volume can have no labels. */
  readonly 'x-holds'?: string;
}

interface OverlayService {
  readonly profiles?: readonly string[];
  readonly volumes?: readonly object[];
}

/** Profile of a service whose image could not be had: it comes up only where it is named. */
const leftOutProfile = 'left-out';

export function isLeftOut({ profiles }: { readonly profiles: readonly string[] }): boolean {
  return profiles.includes(leftOutProfile);
}

export function withAdopted(overlay: HomeOverlay, adopted: readonly Adopted[]): HomeOverlay {
  const volumes = adopted.flatMap((one) =>
    one.volumes.map(({ key, name }) => [key, { name, external: true }] as const),
  );
  const services = { ...overlay.services };
  for (const { service, mounts } of adopted) {
    const own = mounts.map((mount) =>
      mount.kind === 'bind' ? { ...mountOf(mount), bind: { create_host_path: false } } : mountOf(mount),
    );
    services[service] = { ...services[service], volumes: own };
  }
  return { ...overlay, services, volumes: { ...overlay.volumes, ...Object.fromEntries(volumes) } };
}

/** The overlay with volumes that were there before declared external, so that nothing offers to make them anew. */
export function withExternal(overlay: HomeOverlay, kept: readonly KeptVolume[]): HomeOverlay {
  const volumes = kept.map(
    ({ key, name, holds }) => [key, { name, external: true, ...(holds && { 'x-holds': holds }) }] as const,
  );
  return { ...overlay, volumes: { ...overlay.volumes, ...Object.fromEntries(volumes) } };
}

/** A volume that is a name for a folder of the home. */
export interface FolderVolume {
  readonly key: string;
  readonly name: string;
  /** Below AIXCL_HOME. */
  readonly folder: string;
  readonly holds: string | undefined;
}

/** The overlay with a volume that is a name for a folder of the home in place of one that was there before. */
export function withFolder(overlay: HomeOverlay, volume: FolderVolume): HomeOverlay {
  return { ...overlay, volumes: { ...overlay.volumes, [volume.key]: folderVolume(volume) } };
}

/** As Compose files spell it: the home may be moved. */
const homeVariable = `\${AIXCL_HOME}`;

/** As services/compose.yaml has it, but for its name. */
function folderVolume({ name, folder, holds }: FolderVolume) {
  return {
    name,
    driver: 'local',
    driver_opts: { type: 'none', o: 'bind', device: `${homeVariable}/${folder}` },
    labels: { [labels.home]: homeVariable, ...(holds && { [labels.holds]: holds }) },
  };
}

function mountOf({ kind, source, target, readOnly }: Adopted['mounts'][number]): object {
  return { type: kind, source, target, ...(readOnly && { read_only: true }) };
}

/** The overlay with `left` left out of the stack, and `back` no longer. */
export function withLeftOut(
  overlay: HomeOverlay,
  left: readonly string[],
  back: readonly string[],
): HomeOverlay {
  const services = { ...overlay.services };
  for (const service of left) services[service] = { ...services[service], profiles: [leftOutProfile] };
  for (const service of back) {
    const { profiles: _gone, ...rest } = services[service] ?? {};
    if (Object.keys(rest).length > 0) services[service] = rest;
    else delete services[service];
  }
  return { ...overlay, services };
}
