import { AixclError, type ErrorCode } from '../../errors.ts';
import type { Problem } from '../api.ts';
import { problemOf } from '../problem.ts';

/** What the tus library answers when something is not right, by its status: what is said of it here. */
const told: Readonly<
  Record<number, { readonly status?: number; readonly code: ErrorCode; readonly detail?: string }>
> = {
  400: { code: 'usage' },
  403: { status: 400, code: 'usage' },
  404: { code: 'notFound', detail: 'There is no such upload' },
  409: { code: 'refused', detail: 'These bytes do not follow those that are here' },
  410: { code: 'notFound', detail: 'There is no such upload' },
  412: { code: 'usage', detail: 'Uploads come by version 1.0.0 of the tus protocol' },
  413: { code: 'usage', detail: 'That is more than was announced' },
  423: { code: 'busy', detail: 'Somebody else sends bytes of this upload' },
  501: { status: 400, code: 'usage' },
};

/** A refusal of the tus library as the page is told of it. Statuses that tus clients act on stay as they are. */
export function problemOfTus(status: number, body: string): Problem {
  // The protocol has a status for another version of it, which the library does not give.
  if (status === 400 && /\btus-resumable\b/.test(body)) return problemOfTus(412, body);
  const { code = 'unexpected', detail, status: instead = status } = told[status] ?? {};
  const problem = problemOf(
    new AixclError(code, detail ?? (body.trim() || 'The upload can not be answered')),
  );
  return { ...problem, status: instead, ...(status === 413 && { code: 'tooLarge', title: 'Too large' }) };
}
