import type { Adopted } from './adoption.ts';

/**
 * What one home's stack differs in, in the shape of a Compose file, so that plain `docker compose` reads it too. Merged after
 * services/compose.yaml and before the user's own override.
 */
export interface HomeOverlay {
  readonly services?: Readonly<Record<string, OverlayService>>;
  readonly volumes?: Readonly<Record<string, { readonly name: string; readonly external: true }>>;
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
      mount.kind === 'bind' ? { ...placeOf(mount), bind: { create_host_path: false } } : placeOf(mount),
    );
    services[service] = { ...services[service], volumes: own };
  }
  return { ...overlay, services, volumes: { ...overlay.volumes, ...Object.fromEntries(volumes) } };
}

function placeOf({ kind, source, target, readOnly }: Adopted['mounts'][number]): object {
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
