import { AixclError } from '../../../errors.ts';
import { parseOllamaName } from '../../../models/ollama/name.ts';

/** How Go's net package ends an error of a network (net/net.go, and syscall's texts), with what that means. */
const networkReasons: readonly (readonly [pattern: RegExp, meaning: string])[] = [
  [
    /lookup .*timeout|no such host|server misbehaving|name resolution/i,
    'its name can not be looked up where Ollama runs',
  ],
  [/connection refused/i, 'it refuses connections'],
  [/network is unreachable|no route to host/i, 'no way leads there'],
  [/i\/o timeout|handshake timeout|deadline exceeded/i, 'it does not answer in time'],
  [/connection reset/i, 'it closed the connection'],
];

/** The error for what Ollama said of a pull that failed. */
export function pullFailure(name: string, said: string): AixclError {
  const [, meaning] = networkReasons.find(([pattern]) => pattern.test(said)) ?? [];
  if (meaning === undefined) {
    return new AixclError('unexpected', `Ollama could not pull ${name}: ${said}`, {
      hint: 'aixcl service logs ollama',
    });
  }
  const { host } = parseOllamaName(name);
  return new AixclError('unexpected', `Ollama can't reach the registry ${host}: ${meaning}`, {
    hint: `curl -I https://${host}/   (is this machine online? then the command again)`,
    evidence: [said],
  });
}
