// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Compose's own syntax
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { folder, load, refusal, write } from './definition-fixture.ts';

describe('an error names file, line, column and key', () => {
  const cases: [name: string, source: string, line: string, hint?: string][] = [
    [
      'unknown key',
      'services:\n  web:\n    imagee: x\n',
      'a.yaml:3:5: services.web.imagee: unknown key',
      'did you mean "image"?',
    ],
    [
      'unknown key deep down',
      'services:\n  web:\n    image: x\n    healthcheck: {tset: y}\n',
      'a.yaml:4:19: services.web.healthcheck.tset: unknown key',
      'did you mean "test"?',
    ],
    [
      'unknown key in a list',
      'services:\n  web:\n    image: x\n    ports:\n      - target: 1\n        publishd: 2\n',
      'a.yaml:6:9: services.web.ports[0].publishd: unknown key',
      'did you mean "published"?',
    ],
    [
      'unknown top-level key',
      'volume: {}\nservices: {}\n',
      'a.yaml:1:1: volume: unknown key',
      'did you mean "volumes"?',
    ],
    [
      'key far from any',
      'services:\n  web:\n    image: x\n    logging: {zzz: y}\n',
      'a.yaml:4:15: services.web.logging.zzz: unknown key',
      'known here: driver, options',
    ],
    [
      'key that only Compose supports',
      'services:\n  web:\n    image: x\n    secrets: [a]\n',
      'a.yaml:4:5: services.web.secrets: Compose knows this key, aixcl does not support it',
    ],
    [
      'wrong type',
      'services:\n  web:\n    image: x\n    user: 1000\n',
      'a.yaml:4:11: services.web.user: must be a text, not the number 1000',
    ],
    [
      'wrong type of two',
      'services:\n  web:\n    image: x\n    tmpfs: {a: b}\n',
      'a.yaml:4:12: services.web.tmpfs: must be a text or a list, not a mapping',
    ],
    [
      'empty',
      'services:\n  web:\n    image: x\n    ports:\n',
      'a.yaml:4:11: services.web.ports: must be a list, not empty',
    ],
    [
      'word of a few',
      'services:\n  web:\n    image: x\n    depends_on:\n      web: {condition: healthy}\n',
      'a.yaml:5:24: services.web.depends_on.web.condition: must be "service_started" or "service_healthy" or "service_completed_successfully", not "healthy"',
    ],
    [
      'bad boolean',
      'services:\n  web:\n    image: x\n    init: perhaps\n',
      'a.yaml:4:11: services.web.init: "perhaps": must be true or false',
    ],
    [
      'bad duration',
      'services:\n  web:\n    image: x\n    stop_grace_period: 5x\n',
      'a.yaml:4:24: services.web.stop_grace_period: "5x": must be a duration like 1m30s, 5s, 250ms',
    ],
    [
      'bad port',
      'services:\n  web:\n    image: x\n    ports: ["1:2", "80:8o"]\n',
      'a.yaml:4:20: services.web.ports[1]: "8o" is no port, nor a range of ports',
      'a port is [[IP:]HOST:]CONTAINER[/PROTOCOL]',
    ],
    [
      'bad value behind an interpolation',
      'services:\n  web:\n    image: x\n    shm_size: "${S:-lots}"\n',
      'a.yaml:4:15: services.web.shm_size: "lots": must be a size like 512m, 1gb, 65536',
    ],
    [
      'unknown service',
      'services:\n  web:\n    image: x\n    depends_on:\n      - db\n  dv: {image: y}\n',
      'a.yaml:5:9: services.web.depends_on[0]: no service "db"',
      'did you mean "dv"?',
    ],
    [
      'undeclared volume',
      'services:\n  web:\n    image: x\n    volumes:\n      - /keep\n      - data:/d\n',
      'a.yaml:6:9: services.web.volumes[1]: no volume "data"',
      'declare it under "volumes:" at the end of the file',
    ],
    [
      'undeclared network',
      'services:\n  web:\n    image: x\n    networks: {bakc: }\nnetworks: {back: }\n',
      'a.yaml:4:16: services.web.networks.bakc: no network "bakc"',
      'did you mean "back"?',
    ],
    [
      'circle',
      'services:\n  a: {image: x, depends_on: [b]}\n  b: {image: x, depends_on: [c]}\n  c: {image: x, depends_on: [a]}\n',
      'a.yaml:2:30: services.a.depends_on[0]: services wait for each other: a → b → c → a',
      'take one of these dependencies out',
    ],
    [
      'duplicate key',
      'services:\n  web:\n    image: x\n    image: y\n',
      'a.yaml:4:5: services.web.image: this key stands already at 3:5',
    ],
    [
      'unknown anchor',
      'services:\n  web:\n    image: *nope\n',
      'a.yaml:3:12: services.web.image: no anchor &nope before this alias',
    ],
    [
      'required variable',
      'services:\n  web:\n    image: ${IMG:?set it}\n',
      'a.yaml:3:12: services.web.image: required variable IMG is missing a value: set it',
      'set IMG in the environment or in .env',
    ],
    [
      'nothing to run',
      'services:\n  web:\n    hostname: h\n',
      'a.yaml:3:5: services.web: neither image nor build',
      'say which image to run, or what to build',
    ],
    [
      'missing env file',
      'services:\n  web:\n    image: x\n    env_file: nope.env\n',
      'a.yaml:4:15: services.web.env_file: env file nope.env is not there',
      'create it, or set "required: false"',
    ],
    ['a list at the top', '- a\n', 'a.yaml:1:1: the file must hold a mapping (services:, volumes:, …)'],
  ];
  test.each(cases)('%s', async (_, source, line, hint) => {
    const refused = await refusal(load(source));
    expect(refused.lines).toEqual([line]);
    expect(refused.code).toBe('usage');
    if (hint) expect(refused.hint).toBe(hint);
  });

  test('a syntax error', async () => {
    const { lines } = await refusal(load('services:\n  web: {image: x\n  b: 1\n'));
    expect(lines[0]).toMatch(/^a\.yaml:\d+:\d+: YAML: /);
  });

  test('an error inside an anchor is placed where it was written, and said once for each use', async () => {
    const { lines } = await refusal(
      load(
        'x-h: &h\n  interval: 5\nservices:\n  a: {image: x, healthcheck: *h}\n  b: {image: x, healthcheck: {<<: *h}}\n',
      ),
    );
    expect(lines).toEqual([
      'a.yaml:2:13: services.a.healthcheck.interval: must be a text, not the number 5',
      'a.yaml:2:13: services.b.healthcheck.interval: must be a text, not the number 5',
    ]);
  });

  test('an error in a later file is placed in that file, also when it shows only after merging', async () => {
    const files = [
      write('a.yaml', 'services:\n  web: {image: x}\n'),
      write('b.yaml', 'services:\n  web:\n    networks: [n]\n'),
    ];
    const { lines } = await refusal(load('', { files }));
    expect(lines).toEqual(['b.yaml:3:16: services.web.networks[0]: no network "n"']);
  });

  test('all errors come at once, in the order of files and lines', async () => {
    const files = [
      write('a.yaml', 'services:\n  web:\n    user: 1\n    imagee: x\n'),
      write('b.yaml', 'services:\n  web:\n    prots: []\n'),
    ];
    const { lines, hint } = await refusal(load('', { files }));
    expect(lines).toEqual([
      'a.yaml:3:11: services.web.user: must be a text, not the number 1',
      'a.yaml:4:5: services.web.imagee: unknown key (did you mean "image"?)',
      'b.yaml:3:5: services.web.prots: unknown key (did you mean "ports"?)',
    ]);
    expect(hint).toBe('correct the file, then run the command again');
  });

  test('a missing file', async () => {
    const { lines, code } = await refusal(load('', { files: [join(folder, 'nope.yaml')] }));
    expect([lines, code]).toEqual([['nope.yaml: no such file'], 'usage']);
  });

  test('an alias bomb ends as an error', async () => {
    const levels = Array.from(
      { length: 9 },
      (_, i) => `x-${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(', ')}]`,
    );
    const { lines } = await refusal(load(`x-0: &l0 [a]\n${levels.join('\n')}\nservices: {}\n`));
    expect(lines[0]).toMatch('aliases unfold without end');
  });
});
