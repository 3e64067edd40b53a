import type { Problem } from '../api.ts';

const kinds = {
  400: ['usage', 'Not understood'],
  401: ['unauthenticated', 'Not signed in'],
  403: ['forbidden', 'Not from here'],
  404: ['notFound', 'No such thing'],
  405: ['usage', 'Not done to this'],
  408: ['tooSlow', 'Too slow'],
  413: ['tooLarge', 'Too large'],
  421: ['forbidden', 'Not under this name'],
  429: ['tooMany', 'Too many at once'],
  431: ['tooLarge', 'Too large'],
  503: ['terminated', 'Interrupted'],
} as const;

export type RefusalStatus = keyof typeof kinds;

/** Problems of HTTP itself, which no command line has. */
export function refusal(status: RefusalStatus, detail: string, hint: string | null = null): Problem {
  const [code, title] = kinds[status];
  return { type: 'about:blank', title, status, detail, code, hint, evidence: [] };
}
