import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { llamaImage, makeHome, resetEngine, type TestHome } from '../setup/engine-test.ts';

/** A service that sleeps, and ends at once when it is told to. */
export function sleeper(more: object = {}): object {
  return { image: llamaImage(), entrypoint: ['sleep', '1000'], init: true, network_mode: 'none', ...more };
}

/** A shell command as a service. */
export function shell(command: string, more: object = {}): object {
  return sleeper({ entrypoint: ['sh', '-c', command], ...more });
}

export interface SmallStack extends TestHome {
  readonly file: string;
  /** Leading arguments that name the stack. */
  readonly args: readonly string[];
  define(services: Readonly<Record<string, object>>, more?: object): Promise<void>;
}

/** A stack of small services of its own, on an empty engine. */
export async function smallStack(
  services: Readonly<Record<string, object>>,
  more: object = {},
): Promise<SmallStack> {
  await resetEngine();
  const home = await makeHome();
  const file = join(home.root, 'small.yaml');
  const define = (defined: Readonly<Record<string, object>>, rest: object = {}) =>
    writeFile(file, stringify({ name: 'small', services: defined, ...rest }));
  await define(services, more);
  return {
    ...home,
    file,
    args: ['-f', file],
    define,
    [Symbol.asyncDispose]: () => home[Symbol.asyncDispose](),
  };
}
