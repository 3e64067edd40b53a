import type { ErrorCode } from '../errors.ts';
import type { Step } from '../plan/step.ts';
import { shellWord } from '../shell-word.ts';
import type { Subject } from '../vault/subject.ts';

/** Steps of `models remove`. `remove` saves a model and takes it away; `refuse` leaves it, for a reason that ends the command. */
export type RemoveStep = Step<{
  remove: {
    readonly subject: Subject;
    /** Bytes of all its files. */
    readonly size: number;
    readonly takes: Takes;
    readonly stays: readonly Shared[];
    /** Why it is known to be damaged; its backup then is no good copy. */
    readonly damage: string | null;
    /** Whether it can be had again; null: not asked. */
    readonly source: 're-pullable' | 'unique' | null;
    /** Said of an active model that is removed by force. */
    readonly active: boolean;
  };
  refuse: { readonly subject: Subject; readonly code: ErrorCode; readonly hint: string };
}>;

/** Bytes, by what becomes of them. */
export interface Takes {
  /** Taken over as they are: nothing is copied. */
  readonly linked: number;
  readonly copied: number;
  /** In the vault already, from an earlier backup. */
  readonly held: number;
  /** To be hashed first, as nobody knows what they should be. */
  readonly hashed: number;
}

export interface Shared {
  readonly path: string;
  readonly size: number;
  readonly with: readonly string[];
}

export interface ObservedRemoval {
  readonly subject: Subject;
  readonly files: readonly ObservedFile[];
  readonly damage: string | null;
  /** As `KeptModel.held`. */
  readonly held: string | null;
  readonly active: boolean;
  /** Why its runtime can't remove it now, when it does not run. */
  readonly stopped: string | null;
  readonly source: 're-pullable' | 'unique' | null;
}

export interface ObservedFile {
  readonly path: string;
  readonly size: number;
  readonly sharedWith: readonly string[];
  readonly way: 'link' | 'copy';
  /** True when the vault has a blob of this digest and size. */
  readonly inVault: boolean;
  /** False while nobody hashed these very bytes. */
  readonly proven: boolean;
}

export function planRemove(
  models: readonly ObservedRemoval[],
  { force }: { readonly force: boolean },
): RemoveStep[] {
  const going = new Set(
    models.filter((model) => !refusalOf(model, force)).map(({ subject }) => subject.name),
  );
  return models.map((model): RemoveStep => {
    const { subject, damage, source, active } = model;
    const refusal = refusalOf(model, force);
    if (refusal) return { kind: 'refuse', subject, ...refusal };
    const stays = model.files
      .map(({ path, size, sharedWith }) => ({
        path,
        size,
        with: sharedWith.filter((name) => !going.has(name)),
      }))
      .filter((file) => file.with.length > 0);
    return {
      kind: 'remove',
      because: 'asked for',
      subject,
      size: sum(model.files),
      takes: takesOf(model.files),
      stays,
      damage,
      source,
      active,
    };
  });
}

function refusalOf(
  { subject, held, active, stopped }: ObservedRemoval,
  force: boolean,
): { readonly code: ErrorCode; readonly because: string; readonly hint: string } | undefined {
  if (held !== null) {
    const ollama =
      'aixcl models verify --repair, or remove the one whose manifest is damaged: its blobs stay';
    return {
      code: 'refused',
      because: held,
      hint: subject.runtime === 'ollama' ? ollama : 'aixcl models list',
    };
  }
  if (active && !force) return servedRefusal(subject.name);
  if (stopped !== null) return { code: 'notRunning', because: stopped, hint: 'aixcl service start ollama' };
  return undefined;
}

/** Of the model that llama-server serves, or is to serve. */
export function servedRefusal(name: string): {
  readonly code: ErrorCode;
  readonly because: string;
  readonly hint: string;
} {
  return {
    code: 'refused',
    because: 'llama-server serves it',
    hint: `aixcl models activate ANOTHER, or aixcl models remove ${shellWord(name)} --force`,
  };
}

function takesOf(files: readonly ObservedFile[]): Takes {
  const held = files.filter(({ way, inVault }) => inVault && way === 'copy');
  const linked = files.filter(({ way }) => way === 'link');
  return {
    linked: sum(linked),
    copied: sum(files.filter(({ way, inVault }) => way === 'copy' && !inVault)),
    held: sum(held),
    hashed: sum([...linked.filter(({ proven }) => !proven), ...held]),
  };
}

function sum(files: readonly { readonly size: number }[]): number {
  return files.reduce((total, { size }) => total + size, 0);
}
