import { expect, test } from 'vitest';
import { assertRestorable } from './assert-restorable.ts';

const plain = { id: 'b0001', kind: 'backup', files: [], facts: {} } as const;

test.each(['../x', '/etc', '', 'a', '-rf', 'a/b', 'a b'])(
  'no volume is called %j, so none such is taken in',
  (name) => {
    const snapshot = { ...plain, subject: { runtime: 'volume', name } } as const;
    expect(() => assertRestorable('x.tar', snapshot)).toThrow('which is no name of a volume');
  },
);

test('a volume by the name of one is', () => {
  const snapshot = { ...plain, subject: { runtime: 'volume', name: 'open-webui.2' } } as const;
  expect(() => assertRestorable('x.tar', snapshot)).not.toThrow();
});
