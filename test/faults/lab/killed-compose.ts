/** A real `docker compose`, killed at a request of the test's choice. */
import { setTimeout as delay } from 'node:timers/promises';
import { engineProxy } from '../../setup/engine-proxy.ts';
import { type PrivateEngine, spawnCompose, type TestHome } from '../../setup/engine-test.ts';

/** When it is killed. */
export interface Moment {
  readonly when: string;
  /** At its first request of this kind: `POST stop`, `DELETE`, `POST rename`. */
  readonly change: string;
  /** Whether the engine still gets that request; its answer nobody hears. */
  readonly reaches: boolean;
}

/** How long a request takes to reach an engine, at most; milliseconds. */
const onTheWay = 100;

/** Runs it in the home until then. Throws where it ended before. */
export async function killCompose(
  home: TestHome,
  engine: PrivateEngine,
  args: readonly string[],
  { change, reaches, when }: Moment,
): Promise<void> {
  let kill = () => {};
  const before = (asked: string) => {
    if (asked !== change) return true;
    void delay(reaches ? onTheWay : 0).then(() => kill());
    return reaches;
  };
  await using proxy = await engineProxy(() => {}, { engine, before });
  const { child, outcome } = spawnCompose(args, proxy.host, {
    engine,
    cwd: home.root,
    env: { ...home.env, HOME: home.root },
  });
  kill = () => child.kill('SIGKILL');
  const { code, stderr } = await outcome;
  if (code !== 128 + 9)
    throw new Error(`compose ended with ${code}, and was to be killed ${when}:\n${stderr}`);
}
