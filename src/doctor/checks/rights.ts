import { shellWord } from '../../shell-word.ts';
import type { Examined, FolderExamined } from '../examined.ts';
import type { Finding } from '../finding.ts';

/** The folders of the home: there, and open to this user. */
export function checkRights({ folders = [] }: Examined): Finding[] {
  return folders.flatMap((folder) => findingOf(folder) ?? []);
}

function findingOf(folder: FolderExamined): Finding | undefined {
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
    return {
      check: 'folder-missing',
      level: 'problem',
      what: `${what} ${path} is gone, and ${neededBy} needs it`,
      why: 'Its service can not start. Mount its disk, or bring the folder back. If there was nothing in it, a new one does.',
      command: `mkdir -p ${shellWord(path)}`,
      fixable: false,
    };
  }
  return undefined;
}
