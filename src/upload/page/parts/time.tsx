import { ago } from './format.ts';
import { Observed, useObserved } from './observed.ts';

const now = new Observed(new Date());
setInterval(() => now.set(new Date()), 20_000);

/** How long ago, with the very moment for those who point at it. */
export function Time({ at }: { readonly at: string }) {
  const time = new Date(at);
  return (
    <time dateTime={at} title={time.toLocaleString('en', { dateStyle: 'long', timeStyle: 'long' })}>
      {ago(time, useObserved(now))}
    </time>
  );
}
