/** What each exit code means is published in docs/exit-codes.md; scripts rely on it. */
export const exitCodes = {
  done: 0,
  unexpected: 1,
  usage: 2,
  refused: 3,
  notFound: 4,
  partly: 5,
  unhealthy: 6,
  verification: 7,
  noSpace: 8,
  findings: 9,
  engineUnreachable: 10,
  busy: 11,
  notRunning: 12,
  interrupted: 130,
  terminated: 143,
} as const;

export type ErrorCode = Exclude<keyof typeof exitCodes, 'done'>;

/**
 * An error that a user can act on: what happened and why (`message`), and the next command to type (`hint`).
 * `code` decides the exit code and is the `code` of the JSON error.
 */
export class AixclError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  /** Lines that show the cause at its source (a service's last log lines, say), printed under the message. */
  readonly evidence: readonly string[];

  constructor(
    code: ErrorCode,
    message: string,
    options: { hint?: string | undefined; cause?: unknown; evidence?: readonly string[] | undefined } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'AixclError';
    this.code = code;
    this.hint = options.hint;
    this.evidence = options.evidence ?? [];
  }

  get exitCode(): number {
    return exitCodes[this.code];
  }
}

/** The `code` of a Node.js system error (`ENOENT`, `ECONNREFUSED`, …), if `error` is one. */
export function systemCode(error: unknown): string | undefined {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return undefined;
}

/** Message of anything thrown, for errors that quote another's reason. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
