import { AixclError } from '../errors.ts';
import { shellWord } from '../shell-word.ts';
import { savedAt } from './deleted-version.ts';
import type { Snapshot } from './snapshot.ts';
import type { Subject } from './subject.ts';
import { unreadable } from './unreadable.ts';
import type { VaultContents } from './vault.ts';
import { chooseVersion } from './version-id.ts';

/** What a user wrote to name a snapshot, and the subjects that it may mean, in each runtime's spelling. */
export interface SnapshotWish {
  /** `b0012`, `MODEL@v003`, `MODEL@latest`, or a model's name: its newest. */
  readonly text: string;
  readonly means: (subject: Subject) => boolean;
  /** Of a text that names a version, or was meant to: the subjects that its model may mean. */
  readonly meansModel?: (subject: Subject) => boolean;
}

/**
 * The snapshots that are wished for, each once, in the order of the wishes. A name alone means its newest snapshot that is not known to be
 * damaged. Throws `notFound` for what there is none of, `verification` where a record that can't be read may be it, `refused` for a name that
 * several runtimes have.
 */
export function chooseSnapshots(contents: VaultContents, wishes: readonly SnapshotWish[]): Snapshot[] {
  return [...new Set(wishes.map((wish) => chosen(contents, wish)))];
}

function chosen(contents: VaultContents, { text, means, meansModel }: SnapshotWish): Snapshot {
  const { snapshots, broken } = contents;
  const byId = snapshots.find(({ id }) => id === text);
  if (byId) return byId;
  const own = snapshots.filter(({ subject }) => means(subject));
  if (own.length === 0 && meansModel) {
    return chooseVersion(contents, text, (_model, subject) => meansModel(subject));
  }
  const runtimes = new Set(own.map(({ subject }) => subject.runtime));
  if (runtimes.size > 1) {
    throw new AixclError(
      'refused',
      `${text} has snapshots in ${[...runtimes].join(' and ')}: say which one by its id`,
      {
        hint: `aixcl backups list --model ${shellWord(text)}`,
      },
    );
  }
  const [newest] = own.filter(({ damage }) => damage === null).sort(newestFirst);
  if (newest) return newest;
  const damaged = own[0];
  if (damaged) {
    throw new AixclError('verification', `every snapshot of ${text} is damaged`, {
      hint: `aixcl vault verify --repair   (one that is damaged can be named by its id: ${damaged.id})`,
    });
  }
  if (broken.length > 0) throw unreadable(text, broken);
  if (/^b\d+$/.test(text))
    throw new AixclError('notFound', `there is no snapshot ${text}`, { hint: 'aixcl backups list' });
  throw new AixclError('notFound', `${text} has no snapshot yet`, {
    hint: `aixcl backups create ${shellWord(text)}`,
  });
}

function newestFirst(a: Snapshot, b: Snapshot): number {
  return savedAt(b).getTime() - savedAt(a).getTime() || b.number - a.number;
}
