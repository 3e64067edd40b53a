import { describe, expect, test } from 'vitest';
import { parsePorts } from './port-spec.ts';
import { parseBytes, parseDuration } from './quantities.ts';
import { splitWords } from './shell-words.ts';
import { parseVolume } from './volume-spec.ts';
import { resolvePlain } from './yaml-scalar.ts';

test.each([
  ['1m30s', 90_000],
  ['1.5s', 1500],
  ['250ms', 250],
  ['1h2m3s4ms', 3_723_004],
  ['1d', 86_400_000],
  ['0', 0],
  ['5', undefined],
  ['5 s', undefined],
  ['s', undefined],
  ['1s2', undefined],
  ['', undefined],
])('duration %j is %j ms', (text, expected) => {
  expect(parseDuration(text)).toBe(expected);
});

test.each([
  ['512m', 512 * 1024 ** 2],
  ['1gb', 1024 ** 3],
  ['1.5GiB', 1.5 * 1024 ** 3],
  ['64 K', 65_536],
  ['1024', 1024],
  ['7b', 7],
  ['lots', undefined],
  ['1x', undefined],
  ['-1m', undefined],
])('size %j is %j bytes', (text, expected) => {
  expect(parseBytes(text)).toBe(expected);
});

describe('ports', () => {
  test.each([
    ['80', [{ target: 80, protocol: 'tcp' }]],
    ['8080:80/UDP', [{ published: '8080', target: 80, protocol: 'udp' }]],
    ['[::1]:1:2', [{ hostIp: '::1', published: '1', target: 2, protocol: 'tcp' }]],
    ['127.0.0.1::2', [{ hostIp: '127.0.0.1', target: 2, protocol: 'tcp' }]],
    ['8000-8010:80', [{ published: '8000-8010', target: 80, protocol: 'tcp' }]],
    [
      '5-6:7-8',
      [
        { published: '5', target: 7, protocol: 'tcp' },
        { published: '6', target: 8, protocol: 'tcp' },
      ],
    ],
  ])('%s', (spec, expected) => {
    expect(parsePorts(spec)).toEqual(expected);
  });

  test.each(['80:8o', '80-81:1-5', '1.2.3:1:2', '::1:1:2', '70000', '80/icmp', '9-8', ''])(
    '%j is none',
    (spec) => {
      expect(parsePorts(spec)).toBeTypeOf('string');
    },
  );
});

describe('volumes', () => {
  test.each([
    ['/x/', { type: 'volume', target: '/x', readOnly: false, noCopy: false }],
    ['name:/a/../b', { type: 'volume', source: 'name', target: '/b', readOnly: false, noCopy: false }],
    [
      '~/m:/m:ro,z',
      { type: 'bind', source: '~/m', target: '/m', readOnly: true, noCopy: false, selinux: 'z' },
    ],
    [
      './a:/a:rshared',
      { type: 'bind', source: './a', target: '/a', readOnly: false, noCopy: false, propagation: 'rshared' },
    ],
    ['v:/v:nocopy', { type: 'volume', source: 'v', target: '/v', readOnly: false, noCopy: true }],
  ])('%s', (spec, expected) => {
    expect(parseVolume(spec)).toEqual(expected);
  });

  test.each(['a::b', 'aa:/b:ro:z', ':/x', ''])('%j is none', (spec) => {
    expect(parseVolume(spec)).toBeTypeOf('string');
  });
});

describe('commands', () => {
  test.each([
    [`a "b c" 'd e' f\\ g "" h"i j"k`, ['a', 'b c', 'd e', 'f g', '', 'hi jk']],
    [`'a\\b' "c\\"d"`, ['a\\b', 'c"d']],
    ['  ', []],
  ])('%s', (line, expected) => {
    expect(splitWords(line)).toEqual(expected);
  });

  test('an operator is no word, as nothing would act on it', () => {
    expect(splitWords('a && b')).toMatch('needs a shell');
    expect(splitWords('a "&&" b')).toEqual(['a', '&&', 'b']);
    expect(splitWords('a "b')).toMatch('not closed');
  });
});

test.each([
  ['0755', 493, '493'],
  ['0o17', 15, '15'],
  ['0x1F', 31, '31'],
  ['1_000', 1000, '1000'],
  ['1.10', 1.1, '1.1'],
  ['0.00001', 0.00001, '1e-05'],
  ['yes', 'yes', 'yes'],
  ['True', true, 'true'],
  ['~', null, ''],
  ['', null, ''],
  ['22:22', '22:22', '22:22'],
  ['1.2.3', '1.2.3', '1.2.3'],
  ['9007199254740993', 9007199254740992, '9007199254740993'],
  ['constructor', 'constructor', 'constructor'],
])('the plain scalar %j is %j, printed %j', (source, value, text) => {
  expect(resolvePlain(source)).toEqual({ value, text });
});
