import { expect, test } from 'vitest';
import { assertRestorable } from './assert-restorable.ts';

test.each(['../x', '/etc', '', 'a', '-rf', 'a/b', 'a b'])(
  'no volume is called %j, so none such is taken in',
  (name) => {
    const snapshot = { id: 'b0001', subject: { runtime: 'volume', name }, files: [] } as const;
    expect(() => assertRestorable('x.tar', snapshot)).toThrow('which is no name of a volume');
  },
);

test('a volume by the name of one is', () => {
  const snapshot = { id: 'b0001', subject: { runtime: 'volume', name: 'open-webui.2' }, files: [] } as const;
  expect(() => assertRestorable('x.tar', snapshot)).not.toThrow();
});
