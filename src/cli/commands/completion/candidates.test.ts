import { expect, test } from 'vitest';
import { nouns } from '../../nouns.ts';
import { candidates } from './candidates.ts';

const at = (line: string) => candidates(nouns, line.split(' '));

test('the first word is a noun, or one of the short forms', () => {
  expect(at('').words).toEqual(expect.arrayContaining(['stack', 'models', 'up', 'rm', 'undo', 'completion']));
});

test.each([
  ['models ', 'words', ['list', 'add', 'remove', 'activate']],
  ['backups list --type ', 'words', ['pre_deletion', 'emergency']],
  ['models list --', 'words', ['--runtime', '--offline', '--format']],
  ['models list --format ', 'words', ['table', 'json']],
  ['--format ', 'words', ['json']],
  ['--format json models ', 'words', ['remove']],
  ['completion ', 'words', ['bash', 'zsh', 'fish']],
  ['models remove ', 'names', ['models']],
  ['rm ', 'names', ['models']],
  ['models remove tea.gguf ', 'names', ['models']],
  ['service restart ', 'names', ['services']],
  ['stack logs ollama ', 'names', ['services']],
  ['backups restore ', 'names', ['backups']],
  ['backups list --model ', 'names', ['models']],
  ['versions ', 'words', ['list', 'create', 'show', 'restore', 'delete', 'diff']],
  ['versions show ', 'names', ['versions']],
  ['versions diff tea.gguf@v001 ', 'names', ['versions']],
  ['versions create ', 'names', ['models']],
  ['vault export x.tar ', 'names', ['backups', 'versions']],
] as const)('after "aixcl %s" come %s: %s', (line, kind, expected) => {
  expect(at(line)[kind]).toEqual(expect.arrayContaining([...expected]));
});

test.each(['versions create tea.gguf --evolution ', 'models add ', '-f ', '--file ', 'vault import '])(
  'after "aixcl %s" come files',
  (line) => {
    expect(at(line)).toMatchObject({ words: [], files: true });
  },
);

test.each(['models show tea.gguf ', 'nonsense ', 'models nonsense ', 'models list --model-that-is-none '])(
  'after "aixcl %s" comes nothing',
  (line) => {
    expect(at(line)).toEqual({ words: [], names: [], files: false });
  },
);
