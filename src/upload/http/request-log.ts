import type { IncomingMessage, ServerResponse } from 'node:http';
import { reasonOf } from '../../errors.ts';

/** What the service says of itself. Never a query, a cookie or a body: they hold what lets somebody in. */
export interface RequestLog {
  /** A line for a request that was answered, or whose connection ended. */
  request(line: string): void;
  /** Something that went wrong, for whoever reads `docker logs`. */
  problem(error: unknown): void;
}

const longestPath = 200;

/** Lines on stdout, problems on stderr; those with their stack under `AIXCL_DEBUG`. */
export function requestLog(env: NodeJS.ProcessEnv): RequestLog {
  return {
    request: (line) => void process.stdout.write(`${line}\n`),
    problem: (error) => void process.stderr.write(`${env.AIXCL_DEBUG ? stackOf(error) : causes(error)}\n`),
  };
}

/** Has a line said once the answer is out: method, path, status, milliseconds. */
export function logAnswer(request: IncomingMessage, response: ServerResponse, log: RequestLog): void {
  const began = performance.now();
  response.once('close', () => {
    const [path = ''] = (request.url ?? '').split('?');
    if (path === '/health' && response.statusCode === 204) return;
    const shown = path.replace(/[^\x21-\x7e]/g, '?').slice(0, longestPath);
    const cut = response.writableFinished ? '' : ' cut';
    log.request(
      `${request.method} ${shown} ${response.statusCode}${cut} ${Math.round(performance.now() - began)}ms`,
    );
  });
}

function causes(error: unknown): string {
  const reasons: string[] = [];
  for (let at = error; at !== undefined; at = at instanceof Error ? at.cause : undefined)
    reasons.push(reasonOf(at));
  return reasons.join(': ');
}

function stackOf(error: unknown): string {
  return error instanceof Error
    ? `${error.stack}${error.cause ? `\n  of ${stackOf(error.cause)}` : ''}`
    : String(error);
}
