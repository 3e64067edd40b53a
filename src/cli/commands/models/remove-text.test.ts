import { expect, test } from 'vitest';
import { type ObservedFile, type ObservedRemoval, planRemove } from '../../../models/plan-remove.ts';
import { removalText } from './remove-text.ts';

const file = (more: Partial<ObservedFile> = {}): ObservedFile => ({
  path: 'tea.gguf',
  size: 2e9,
  sharedWith: [],
  way: 'link',
  inVault: false,
  proven: true,
  ...more,
});

const model = (more: Partial<ObservedRemoval> = {}): ObservedRemoval => ({
  subject: { runtime: 'llama-server', name: 'tea.gguf' },
  files: [file()],
  damage: null,
  held: null,
  active: false,
  stopped: null,
  source: null,
  ...more,
});

function shown(observed: ObservedRemoval, force = false): string {
  const [step] = planRemove([observed], { force });
  if (step?.kind === 'refuse') return `refuse (${step.code}): ${step.because}`;
  return step ? removalText(step) : '';
}

test('what the vault takes over is not copied', () => {
  expect(shown(model())).toBe(
    [
      'remove tea.gguf (llama-server, 2 GB)',
      '  the vault takes over 2 GB as they are: nothing is copied',
    ].join('\n'),
  );
});

test('what is copied is told with an estimate, what is hashed first as well', () => {
  expect(shown(model({ files: [file({ way: 'copy' })] }))).toContain('the vault copies 2 GB, about 6.7 s');
  expect(shown(model({ files: [file({ proven: false })] }))).toContain('2 GB are hashed first, about 2.9 s');
});

test('what others share stays and is named', () => {
  const files = [
    file(),
    file({ path: 'blobs/sha256-1', size: 5e8, way: 'copy', sharedWith: ['milk:latest'] }),
  ];
  expect(shown(model({ files }))).toContain('stays: blobs/sha256-1 (500 MB), which milk:latest has too');
});

test('what the vault has already is not copied again', () => {
  expect(shown(model({ files: [file({ way: 'copy', inVault: true })] }))).toContain('has 2 GB of it already');
});

test('a damaged model is told as such', () => {
  expect(shown(model({ damage: 'it is cut' }))).toContain(
    'it is damaged: it is cut; its backup is kept, and is no good copy',
  );
});

test('the active model stays unless it is forced', () => {
  expect(shown(model({ active: true }))).toBe('refuse (refused): llama-server serves it');
  expect(shown(model({ active: true }), true)).toContain('remove tea.gguf');
});

test('what is held or can not be removed now stays, forced or not', () => {
  expect(shown(model({ held: 'shared with x' }), true)).toBe('refuse (refused): shared with x');
  expect(shown(model({ stopped: 'Ollama does not run' }), true)).toBe(
    'refuse (notRunning): Ollama does not run',
  );
});

test('what stays is told with who has it too: large files each, small ones together', () => {
  const shared = (path: string, size: number, ...sharedWith: string[]) =>
    file({ path, size, sharedWith, way: 'copy' });
  const files = [
    shared(`blobs/sha256-${'a'.repeat(64)}`, 2e9, 'b:1', 'c:1'),
    shared('blobs/x', 10, 'b:1'),
    shared('blobs/y', 5, 'c:1'),
  ];
  const text = shown(model({ files }));
  expect(text).toContain(`stays: sha256-${'a'.repeat(12)} (2 GB), which b:1, c:1 have too`);
  expect(text).toContain('stays: 2 small files (15 B), which b:1, c:1 have too');
});

test('what two that go together share does not stay', () => {
  const named = (name: string, other: string) =>
    model({
      subject: { runtime: 'ollama', name },
      files: [file({ sharedWith: [other], way: 'copy' })],
    });
  const both = planRemove([named('a:1', 'b:1'), named('b:1', 'a:1')], { force: false });
  expect(both).toMatchObject([{ stays: [] }, { stays: [] }]);
  const held = { ...named('b:1', 'a:1'), held: 'a manifest is cut' };
  expect(planRemove([named('a:1', 'b:1'), held], { force: false })[0]).toMatchObject({
    stays: [{ with: ['b:1'] }],
  });
});
