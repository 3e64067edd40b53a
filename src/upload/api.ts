/**
 * What the page and its server say to each other, all of it JSON. Sizes in bytes, times in ISO 8601 UTC, an unknown value is null.
 *
 * | request | answer |
 * |---|---|
 * | `GET /?token=T` | 303 to `/` with the session's cookie; 401 when the token is unknown, used or old |
 * | `GET /` and the page's files | the page; 401 without a session, with what to type to get one |
 * | `GET /health` | 204, to anybody |
 * | `GET /api/state` | `PageState` |
 * | `GET /api/events` | server-sent events: `state` with a `PageState`, at once and whenever it changes |
 * | `POST /api/models/NAME/activate` | 202 with a `PageJob` |
 * | `GET /api/models/NAME/removal` | `Removal`: what would go, and how it is kept |
 * | `DELETE /api/models/NAME` | 202 with a `PageJob`, whose `backup` brings it back |
 * | `GET /api/backups/ID/restoration` | `Restoration`: what would be put where, and what is saved first |
 * | `POST /api/backups/ID/restore` | 202 with a `PageJob` |
 * | `POST /api/backups/ID/verify` | 202 with a `PageJob` |
 * | `POST /api/backups/ID/undo` | 202 with a `PageJob`: takes back what made it; 409 when that is not what `PageState.undo` names (any more) |
 * | `GET /api/jobs/ID` | `PageJob` |
 * | `POST /uploads`, `HEAD`, `PATCH`, `DELETE /uploads/ID` | tus 1.0.0 (creation, termination); metadata below; `DELETE` clears what is left of one |
 * | `POST /api/uploads/ID/replace` | 202: the answer to `exists`: save what stands there, put this in its place |
 * | `POST /api/uploads/ID/check` | 202: a `refused` one is tried again |
 *
 * Names in paths are percent-encoded. Metadata of an upload: `filename` (required); `model`, the folder of a model of several files;
 * `parts`, how many files it has; `sha256`, which the file has to have; `replace` = `yes`, agreed that what stands there is saved and replaced.
 * Shards (`…-00001-of-00003.gguf`) name their model and their number themselves.
 *
 * An error is `application/problem+json`: `Problem`.
 */

/**
 * A character that no name of an upload has, beside what no model's name has: names are made of what can be seen, spaces, and what joins letters
 * and emoji. Characters that turn the direction of writing make one name look like another.
 */
export const strangeCharacter = /(?![\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}\u{e0020}-\u{e007f}]|\u200c|\u200d)./su;

/** All that the page shows. */
export interface PageState {
  /** Of aixcl. */
  readonly version: string;
  readonly models: readonly PageModel[];
  /** Entries of the models directory that are no models, with the reason. */
  readonly unusable: readonly { readonly name: string; readonly why: string }[];
  /** What llama-server serves, and what became of the last wish. */
  readonly activation: PageActivation;
  readonly services: readonly PageService[];
  readonly space: {
    readonly models: Space;
    readonly vault: Space;
    /** False: the vault survives the loss of the models' disk. */
    readonly oneDisk: boolean;
  };
  readonly uploads: readonly PageUpload[];
  /** Newest first. */
  readonly snapshots: readonly PageSnapshot[];
  /** Running and lately ended, newest first. */
  readonly jobs: readonly PageJob[];
  /** What `undo` would take back; null: nothing. */
  readonly undo: { readonly backup: string; readonly model: string; readonly created: string } | null;
  /** Who holds the vault's lock, in words; null: nobody. */
  readonly busy: string | null;
  readonly warnings: readonly string[];
}

export interface Space {
  readonly free: number;
  readonly total: number;
}

export interface PageModel {
  readonly name: string;
  readonly runtime: 'llama-server' | 'ollama';
  readonly architecture: string | null;
  readonly parameters: number | null;
  readonly quantization: string | null;
  readonly contextLength: number | null;
  readonly size: number;
  readonly files: readonly string[];
  /** `sha256:…` where it is recorded. */
  readonly digest: string | null;
  readonly modified: string;
  readonly active: boolean;
  /** In words, as `aixcl models list` has it: `active`, `asked for`, …; null: none. */
  readonly standing: string | null;
  /** `model`, `embedding`, `projector`, `adapter` or `other`; null for Ollama's. */
  readonly role: string | null;
  /** Where its bytes came from: an address, `uploaded`, or null. */
  readonly source: string | null;
  readonly lastBackup: string | null;
  /** Why it is damaged. */
  readonly damage: string | null;
  /** Why it can't be activated or deleted here; null where it can. */
  readonly notActivatable: string | null;
  readonly notRemovable: string | null;
  /** For what the page may not do: what to type instead. */
  readonly commands: readonly { readonly what: string; readonly command: string }[];
}

/** See docs/active-model.md. */
export interface PageActivation {
  readonly active: string | null;
  readonly phase: 'waiting' | 'loading' | 'switching' | 'ready' | 'failed' | null;
  /** Being loaded. */
  readonly loading: string | null;
  readonly wanted: string | null;
  readonly result: 'pending' | 'applied' | 'reverted' | 'refused' | null;
  readonly reason: string | null;
  /** llama-server's own last lines of a failed attempt. */
  readonly log: readonly string[];
}

export interface PageService {
  readonly name: 'ollama' | 'llama-server';
  readonly health: 'healthy' | 'loading' | 'waiting' | 'unhealthy' | 'stopped';
  readonly detail: string | null;
}

/**
 * `receiving`: bytes come or may come. `parts`: whole, and waits for the other files of its model. `checking`: length, structure and sha256 are
 * being looked at. `exists`: its name is taken by other bytes, and somebody has to say whether to replace them. `refused`: it got no name;
 * `problem` says why. What got its name is a model, and no upload any more.
 */
export type UploadPhase = 'receiving' | 'parts' | 'checking' | 'exists' | 'refused';

export interface PageUpload {
  readonly id: string;
  readonly file: string;
  /** The name that its model will have. */
  readonly model: string;
  /** Of a model of several files: how many it has and how many are whole. */
  readonly parts: { readonly count: number; readonly whole: number } | null;
  readonly size: number;
  readonly received: number;
  readonly phase: UploadPhase;
  /** Bytes hashed while it is checked. */
  readonly checked: number;
  /** What it has to have, as given with it. */
  readonly sha256: string | null;
  readonly created: string;
  /** When the last byte came. */
  readonly touched: string;
  readonly problem: Problem | null;
}

/** A version or a backup. */
export interface PageSnapshot {
  readonly id: string;
  readonly kind: 'version' | 'backup';
  readonly model: string;
  readonly runtime: string;
  readonly backupType: string | null;
  readonly created: string;
  readonly reason: string;
  readonly size: number;
  readonly verified: string | null;
  readonly damage: string | null;
  /** Why it can't be restored here; null where it can. */
  readonly notRestorable: string | null;
  /** For what the page may not do. */
  readonly commands: readonly { readonly what: string; readonly command: string }[];
}

/** What deleting a model would do. */
export interface Removal {
  readonly model: string;
  readonly size: number;
  readonly files: readonly string[];
  /** How the vault takes it: nothing copied, or so many bytes. */
  readonly takes: { readonly linked: number; readonly copied: number; readonly had: number };
  /** Until when at least it is held. */
  readonly heldUntil: string;
  readonly damage: string | null;
  /** Why it stays; null where it can go. */
  readonly refused: Problem | null;
}

/** What restoring a snapshot would do, a line a step, in words. */
export interface Restoration {
  readonly backup: string;
  readonly model: string;
  /** `none`: the name is free. `same`: those very bytes stand there. `other`: they are saved first. */
  readonly standing: 'none' | 'same' | 'other';
  readonly steps: readonly string[];
}

export interface PageJob {
  readonly id: string;
  readonly kind: 'activate' | 'remove' | 'restore' | 'verify' | 'undo';
  readonly target: string;
  readonly began: string;
  readonly ended: string | null;
  /** `running`, or how it ended. */
  readonly outcome: 'running' | 'done' | 'failed';
  /** What it is at, or what came of it, in words: `switching`, `llama-server serves it`. */
  readonly detail: string | null;
  readonly done: number | null;
  readonly total: number | null;
  readonly problem: Problem | null;
  /** The backup that it made of what went. */
  readonly backup: string | null;
}

/** RFC 9457, with the codes of the command line (docs/exit-codes.md). */
export interface Problem {
  readonly type: 'about:blank';
  readonly title: string;
  /** HTTP status. */
  readonly status: number;
  readonly detail: string;
  /** As in `--format json`: `noSpace`, `busy`, …; or `unauthenticated`, `forbidden`, `tooLarge`, `tooMany`. */
  readonly code: string;
  /** What to do next: a command, or words. */
  readonly hint: string | null;
  /** Lines that show the cause at its source. */
  readonly evidence: readonly string[];
}
