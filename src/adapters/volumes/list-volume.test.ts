import { expect, test } from 'vitest';
import { treeOf } from './list-volume.ts';

const time = '2020-02-02 02:02:02.123456789 +0000';
const stat = (mode: string, size = 0, inode = 7) => `${mode} ${size} 5 6 ${inode} 1 ${time}|${time}\n`;
const root = `1\n${stat('41ed')}/volume\0`;

test('a list is read as it was written: any name, where links lead, whose each is', () => {
  const odd = 'two\nlines |\t-';
  const tree = treeOf(
    `${root}3\n${stat('41ed', 4096, 8)}${stat('89ed', 3, 9)}${stat('a1ff', 4, 10)}/volume/d\0/volume/${odd}\0/volume/l\0to\n\0end\n`,
  );
  expect(tree.folders.map(({ path }) => path)).toEqual(['', 'd']);
  expect(tree.emptyFolders).toEqual(['d']);
  expect(tree.links).toEqual([{ path: 'l', target: 'to\n' }]);
  expect(tree.files).toMatchObject([
    {
      path: odd,
      names: 1,
      executable: true,
      identity: { inode: '9', size: 3, mtime: '1580608922123456789', ctime: '1580608922123456789' },
    },
  ]);
  expect(tree.owned.get(odd)).toEqual({ uid: 5, gid: 6, bits: 0o4755, mtime: 1580608922123.456 });
  expect(tree.odd).toEqual([]);
});

test('sockets, devices and names that are no UTF-8 are named, never passed over', () => {
  const tree = treeOf(`${root}2\n${stat('c1ed')}${stat('81a4')}/volume/s\0/volume/\ufffd\0end\n`);
  expect(tree.odd).toEqual([
    { path: 's', why: 'it is neither file, folder nor link' },
    { path: '\ufffd', why: 'its name is not UTF-8' },
  ]);
  expect(tree.files).toEqual([]);
});

test('a list that was cut is no list', () => {
  expect(() => treeOf(`${root}2\n${stat('81a4')}`)).toThrow('not whole');
  expect(() => treeOf(root)).toThrow('not whole');
});
