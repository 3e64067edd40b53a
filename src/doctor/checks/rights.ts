import { shellWord } from '../../shell-word.ts';
import type { Examined, FolderExamined } from '../examined.ts';
import type { Finding } from '../finding.ts';

/** The folders of the home: there, and open to this user. */
export function checkRights({ folders = [], home }: Examined): Finding[] {
  return folders.flatMap((folder) => findingOf(folder, home) ?? []);
}

/** One in the home itself may be made anew; any other may lie on a disk that is not mounted now. */
export function isFixableFolder({ path, state, neededBy }: FolderExamined, home: string): boolean {
  return state === 'missing' && neededBy !== null && (path === home || path.startsWith(`${home}/`));
}

function findingOf(folder: FolderExamined, home: string): Finding | undefined {
  const { path, what, state, owner, user, neededBy } = folder;
  if (state === 'no folder') {
    return {
      check: 'folder-blocked',
      level: 'problem',
      what: `${path} is no folder, where ${what} should be`,
      why: 'Nothing can be kept there.',
      command: `ls -ld ${shellWord(path)}`,
      fixable: false,
    };
  }
  if (state === 'closed') {
    return {
      check: 'folder-closed',
      level: 'problem',
      what: `${what} ${path} belongs to ${owner}, and ${user} may not read and write it`,
      why: 'Commands of this user fail half way, or see less than there is.',
      command: `sudo chown -R ${user} ${shellWord(path)}`,
      fixable: false,
    };
  }
  if (state === 'missing' && neededBy !== null) {
    const fixable = isFixableFolder(folder, home);
    return {
      check: 'folder-missing',
      level: 'problem',
      what: `${what} ${path} is gone, and ${neededBy} needs it`,
      why: 'Its service can not start. If its disk is not mounted, or its files were moved, see to that before anything is made there.',
      command: fixable ? 'aixcl doctor --fix' : `mkdir -p ${shellWord(path)}`,
      fixable,
    };
  }
  return undefined;
}
