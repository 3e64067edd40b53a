import { AixclError, type ErrorCode, reasonOf } from '../errors.ts';
import type { Problem } from './api.ts';

const statuses: Readonly<Record<ErrorCode, number>> = {
  unexpected: 500,
  usage: 400,
  refused: 409,
  notFound: 404,
  partly: 500,
  unhealthy: 502,
  verification: 422,
  noSpace: 507,
  findings: 500,
  engineUnreachable: 503,
  busy: 423,
  notRunning: 503,
  interrupted: 503,
  terminated: 503,
};

const titles: Readonly<Record<ErrorCode, string>> = {
  unexpected: 'Something went wrong',
  usage: 'Not understood',
  refused: 'Refused',
  notFound: 'No such thing',
  partly: 'Partly done',
  unhealthy: 'It did not come up',
  verification: 'The bytes are not right',
  noSpace: 'Not enough space',
  findings: 'Something was found',
  engineUnreachable: 'Docker is not reachable from here',
  busy: 'Another aixcl is at work',
  notRunning: 'The service is not running',
  interrupted: 'Interrupted',
  terminated: 'Interrupted',
};

/** Anything thrown, as the page is told of it. What is no `AixclError` tells its message and no stack. */
export function problemOf(error: unknown): Problem {
  if (!(error instanceof AixclError)) {
    return { ...problemWith('unexpected', reasonOf(error)), hint: 'docker logs upload-ui' };
  }
  const { code, message, hint, evidence } = error;
  // The command line's speaks of its own flags.
  const next = code === 'busy' ? 'Wait until it is done, then try again.' : hint;
  return { ...problemWith(code, message), hint: next ?? null, evidence };
}

function problemWith(code: ErrorCode, detail: string): Problem {
  return {
    type: 'about:blank',
    title: titles[code],
    status: statuses[code],
    detail,
    code,
    hint: null,
    evidence: [],
  };
}
