import prettyBytes from 'pretty-bytes';

/** Bytes as the command line prints them: `1.2 GB`. */
export function bytes(count: number): string {
  return prettyBytes(count);
}

/** Bytes of so many, in the unit of the whole: `3.2 of 40 GB`. */
export function bytesOf(done: number, total: number): string {
  const [whole, unit] = bytes(total).split(' ');
  const [part, partUnit] = bytes(done).split(' ');
  return unit === partUnit ? `${part} of ${whole} ${unit}` : `${bytes(done)} of ${bytes(total)}`;
}

/** Weights as people count them: `135M`, `7.2B`. */
export function parameters(count: number): string {
  return new Intl.NumberFormat('en', { notation: 'compact' }).format(count);
}

/** Tokens: `32,768`. */
export function tokens(count: number): string {
  return count.toLocaleString('en');
}

/** Of a whole, rounded down: 100 only when all is there. */
export function percent(done: number, total: number): number {
  return total > 0 ? Math.min(100, Math.floor((done / total) * 100)) : 0;
}

/** Seconds that are left, in the two units that matter: `12 s`, `3 m 20 s`, `2 h 5 m`. */
export function timeLeft(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes} m ${whole % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} m`;
}

const units: readonly (readonly [Intl.RelativeTimeFormatUnit, seconds: number])[] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

/** `3 minutes ago`, `in 2 weeks`; within a minute `just now`. */
export function ago(time: Date, now: Date): string {
  const seconds = (time.getTime() - now.getTime()) / 1000;
  const unit = units.find(([, length]) => Math.abs(seconds) >= length);
  if (!unit) return 'just now';
  return new Intl.RelativeTimeFormat('en').format(Math.trunc(seconds / unit[1]), unit[0]);
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
