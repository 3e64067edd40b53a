import type { Problem } from '../../api.ts';

/** What the server did not do, with its word on it. */
export class Refusal extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** The problem that an answer states; one of ours where it states none, as a proxy's does. */
export function problemIn(body: string, status: number): Problem {
  try {
    const problem = JSON.parse(body) as Problem;
    if (typeof problem.detail === 'string' && typeof problem.code === 'string') return problem;
  } catch {}
  return ownProblem('unexpected', 'Something went wrong', `The server answered with status ${status}.`);
}

export function unreachable(): Problem {
  const detail = 'The page is not connected to its server.';
  return { ...ownProblem('unreachable', 'Not connected', detail), hint: 'aixcl service start upload-ui' };
}

export function problemOf(error: unknown): Problem {
  if (error instanceof Refusal) return error.problem;
  const message = error instanceof Error ? error.message : String(error);
  return ownProblem('unexpected', 'Something went wrong', message);
}

/** One that the page found by itself, of no status. */
export function ownProblem(code: string, title: string, detail: string): Problem {
  return { type: 'about:blank', status: 0, code, title, detail, hint: null, evidence: [] };
}
