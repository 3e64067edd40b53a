import type { PageModel, Removal } from '../../api.ts';
import { bytes } from '../parts/format.ts';

/** Marks beside a model's name: what it is to llama-server, and what it is where that is no model by itself. */
export function badgesOf({ standing, active, role, damage }: PageModel): string[] {
  const badges: string[] = [];
  if (standing !== null) badges.push(standing === 'asked' ? 'asked for' : standing);
  else if (active) badges.push('active');
  if (damage !== null) badges.push('damaged');
  if (role === 'projector' || role === 'adapter' || role === 'embedding') badges.push(role);
  return badges;
}

/** An address by its host: the whole one stands in the details. */
export function sourceOf(source: string | null): string {
  if (source === null) return '–';
  return /^https?:\/\/([^/]+)/.exec(source)?.[1] ?? source.split('/')[0]!;
}

/** How the vault takes what goes. */
export function takingOf({ takes }: Removal): string {
  const { linked, copied, had } = takes;
  const ways = [
    ...(linked > 0 ? [`takes over ${bytes(linked)} as they are: nothing is copied`] : []),
    ...(copied > 0 ? [`copies ${bytes(copied)}`] : []),
    ...(had > 0 ? [`has ${bytes(had)} already`] : []),
  ];
  return ways.length > 0 ? `The vault ${ways.join(', and ')}.` : 'The vault has nothing to copy.';
}
