/** Milliseconds in each unit of a duration. */
const units: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Milliseconds of `1m30s`, `1.5s`, `250ms`; undefined where Compose reads no duration. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (!/^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|[smhdw])/.test(text)) return undefined;
  const sign = text.startsWith('-') ? -1 : 1;
  const parts = [...text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|[smhdw])/g)];
  if (parts.map((part) => part[0]).join('') !== text.replace(/^[-+]/, '')) return undefined;
  return sign * parts.reduce((sum, [, number, unit]) => sum + Number(number) * units[unit!]!, 0);
}

/** Bytes of `512m`, `1gb`, `1.5GiB`, `1024` (every unit a power of 1024, as for Docker); undefined where it reads none. */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp]?)i?b?$/i.exec(text);
  if (!match) return undefined;
  const power = ' kmgtp'.indexOf(match[2]!.toLowerCase() || ' ');
  return Math.trunc(Number(match[1]) * 1024 ** power);
}
