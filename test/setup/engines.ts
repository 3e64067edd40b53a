import { currentEngineCommand } from './debian-root.ts';
import { PrivateEngine } from './private-engine.ts';

/** Second bytes of the networks' addresses: even the last slot's stay in 10.209–10.224, where few home networks lie. */
const firstNetwork = 209;

/** The engine that this machine's distribution has, of one test run. */
export function privateEngine(slot: number): PrivateEngine {
  return new PrivateEngine(String(slot), firstNetwork + 2 * slot);
}

/** The engine of the newest Debian, out of the tree at `root`. */
export function currentEngine(slot: number, root: string): PrivateEngine {
  return new PrivateEngine(`current-${slot}`, firstNetwork + 1 + 2 * slot, currentEngineCommand(root));
}
