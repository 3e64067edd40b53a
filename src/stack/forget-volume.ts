import type { HomeOverlay } from './home-overlay.ts';

/**
 * The overlay without a volume that was there before and is gone: what services/compose.yaml has in its place counts again, and the next
 * start makes that. A name for a folder of the home stays declared: else a volume of the usual name would be used instead.
 */
export function withoutVolume(overlay: HomeOverlay, name: string): HomeOverlay {
  const volumes = Object.entries(overlay.volumes ?? {});
  const gone = new Set(
    volumes.filter(([, volume]) => volume.name === name && 'external' in volume).map(([key]) => key),
  );
  if (gone.size === 0) return overlay;
  const services = Object.entries(overlay.services ?? {}).map(([service, { volumes: mounts, ...rest }]) => {
    const left = mounts?.filter((mount) => !('source' in mount && gone.has(String(mount.source))));
    return [service, { ...rest, ...(left && left.length > 0 && { volumes: left }) }] as const;
  });
  return {
    ...overlay,
    services: Object.fromEntries(services.filter(([, service]) => Object.keys(service).length > 0)),
    volumes: Object.fromEntries(volumes.filter(([key]) => !gone.has(key))),
  };
}
