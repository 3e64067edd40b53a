import type { Paint } from '../context.ts';

/** Colours for a stream: none off a terminal, under `NO_COLOR` (https://no-color.org) or with `--no-color`. */
export async function paintFor(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
  wanted: boolean | undefined,
): Promise<Paint> {
  const coloured = wanted ?? (stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb');
  return coloured ? (await import('./colours.ts')).colours : noColours;
}

const asItIs = (text: string) => text;

const noColours: Paint = { bold: asItIs, dim: asItIs, good: asItIs, warn: asItIs, bad: asItIs, tint: asItIs };
