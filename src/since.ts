import { AixclError } from './errors.ts';

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Unix seconds of what `--since` takes, as `docker logs` does: a time, Unix seconds, or a duration back from `nowMs` (`1h30m`). */
export function sinceSeconds(text: string, nowMs: number): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  if (/^(\d+(\.\d+)?[smhd])+$/.test(text)) {
    const back = [...text.matchAll(/(\d+(?:\.\d+)?)([smhd])/g)].reduce(
      (sum, [, amount, unit = 's']) => sum + Number(amount) * (unitSeconds[unit] ?? 1),
      0,
    );
    return nowMs / 1000 - back;
  }
  // A date alone is this machine's midnight for Docker, and UTC's for JavaScript.
  const time = Date.parse(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00` : text);
  if (Number.isNaN(time)) {
    throw new AixclError('usage', `--since "${text}" is neither a time nor a duration`, {
      hint: 'Give 10m, 2h, 2026-01-31 or 2026-01-31T12:00:00Z.',
    });
  }
  return time / 1000;
}
