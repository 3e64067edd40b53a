import { AixclError, reasonOf, systemCode } from '../../errors.ts';
import { defaultAddress } from './address.ts';

/** HTTP status of an answer that the engine gave as an error. */
export function statusOf(error: unknown): number | undefined {
  if (error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number') {
    return error.statusCode;
  }
  return undefined;
}

/** The engine's own words, without what docker-modem puts around them. */
function engineWords(error: unknown): string {
  return reasonOf(error)
    .replace(/^\(HTTP code \d+\) [^-]*- /, '')
    .trim();
}

const unreachableCodes = new Set([
  'ECONNREFUSED',
  'ENOENT',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTSOCK',
  'EACCES',
  'EPERM',
]);

/** Words of a daemon that is being stopped, or whose containerd is gone: what it was asked for fails, and it says why in passing. */
const goingDown =
  /shutting down|database not open|context canceled|transport is closing|client connection is closing|containerd\.sock\S* (?:connect|read|write)|error reading from server: EOF|ttrpc: closed/;

/** Whether a start failed for what a killed engine left of an earlier one (moby calls it a task, containerd an id, its shim a folder). */
export function isStuck(error: unknown): boolean {
  return /task \S+ already exists|\bid already in use\b|failed to start shim: mkdir \S+ file exists/.test(
    engineWords(error),
  );
}

/** Turns what a call to the engine threw into an error for users. An abort is rethrown as it is. */
export function engineFailure(error: unknown, address: string, doing: string): unknown {
  if (error instanceof AixclError) return error;
  if (error instanceof Error && error.name === 'AbortError') return error;
  const status = statusOf(error);
  if (status !== undefined && status >= 500 && goingDown.test(engineWords(error))) {
    return unreachable(address, 'going down', error);
  }
  if (status !== undefined) {
    return new AixclError(status === 404 ? 'notFound' : 'unexpected', `${doing}: ${engineWords(error)}`, {
      cause: error,
    });
  }
  const code = systemCode(error);
  if (code && unreachableCodes.has(code)) return unreachable(address, code, error);
  if (error instanceof Error && /socket hang up|aborted/.test(error.message))
    return unreachable(address, 'ECONNRESET', error);
  return error;
}

/** Words of an engine whose registry can't be found, refuses the connection, or takes it and then says nothing. */
const offline =
  /no such host|dial tcp|i\/o timeout|connection re(?:fused|set)|network is unreachable|server misbehaving|Client\.Timeout|deadline exceeded|awaiting headers|TLS handshake|\bEOF\b/i;

/** As `engineFailure`, for a pull: an engine that reaches no registry says so in the words of its network code. */
export function pullFailure(error: unknown, address: string, reference: string): unknown {
  const words = error instanceof Error ? engineWords(error) : '';
  if (statusOf(error) === undefined || !offline.test(words)) {
    return engineFailure(error, address, `pull ${reference}`);
  }
  const host = /https?:\/\/([^/"]+)|lookup (\S+)|dial tcp (\S+?):\d+/.exec(words);
  return new AixclError(
    'notFound',
    `no image registry answers for ${reference} (${host?.[1] ?? host?.[2] ?? host?.[3] ?? words})`,
    {
      hint: `docker pull ${reference}`,
      cause: error,
    },
  );
}

export function unreachable(address: string, code: string, cause?: unknown): AixclError {
  const [why, usual] = reasons[code] ?? [`it answers with ${code}`, startHint];
  // An engine that the user named is not the one that systemd or quickstart would start.
  const hint = usual === startHint && address !== defaultAddress ? namedHint : usual;
  return new AixclError('engineUnreachable', `the Docker engine at ${address} can't be reached: ${why}`, {
    hint,
    cause,
  });
}

const namedHint =
  'Start that engine (systemctl start docker, where it is the usual one), or name another with --host or --context.';
const startHint =
  'Start it (sudo systemctl start docker), name another with --host or --context, or let aixcl quickstart install one.';
const rightsHint =
  'Add yourself to the group docker (sudo usermod -aG docker $USER) and log in again; sudo would use another home.';
const reasons: Readonly<Record<string, readonly [why: string, hint: string]>> = {
  ENOENT: ['there is no socket; the engine is not running or not installed', startHint],
  ECONNREFUSED: ['nobody listens there; the engine is not running', startHint],
  EACCES: ['this user may not use its socket', rightsHint],
  EPERM: ['this user may not use its socket', rightsHint],
  ETIMEDOUT: ['it did not answer in time', startHint],
  'going down': ['it is being stopped', startHint],
  ECONNRESET: ['it broke the connection off', startHint],
  EPIPE: ['it broke the connection off', startHint],
};
