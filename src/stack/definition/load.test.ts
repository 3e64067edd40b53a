// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Compose's own syntax
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { folder, load, refusal } from './definition-fixture.ts';

test('keys that begin with x- are anyone’s, and names of the prototype are names like others', async () => {
  const { services } = await load(
    'x-a: 1\nservices:\n  web:\n    image: i\n    x-b: 1\n    healthcheck: {test: t, x-c: 1}\n    environment: {__proto__: p, constructor: c}\n',
  );
  expect([...services.get('web')!.environment]).toEqual([
    ['__proto__', 'p'],
    ['constructor', 'c'],
  ]);
});

test('a variable that is not set is an empty text and a warning', async () => {
  const { services, warnings } = await load('services:\n  web:\n    image: i\n    hostname: "a${NOPE}"\n');
  expect(services.get('web')?.hostname).toBe('a');
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatch(/variable NOPE is not set.*a\.yaml:4 \(services\.web\.hostname\)/);
});

test('the override is merged last where it is there, and is no error where it is not', async () => {
  const base = 'services:\n  web: {image: i, ports: ["1:1"], environment: {A: 1, B: 2}, command: [a]}\n';
  const overrideFile = join(folder, 'compose.override.yaml');
  expect((await load(base, { overrideFile })).files).toHaveLength(1);
  writeFileSync(
    overrideFile,
    'services:\n  web:\n    ports: !override ["2:2"]\n    environment: {A: !reset null, C: 3}\n    command: [b]\n',
  );
  const web = (await load(base, { overrideFile })).services.get('web')!;
  expect(web.ports).toEqual([{ published: '2', target: 2, protocol: 'tcp' }]);
  expect([...web.environment]).toEqual([
    ['B', '2'],
    ['C', '3'],
  ]);
  expect(web.command).toEqual(['b']);
});

describe('a volume that an override declares external', () => {
  const base =
    'services:\n  web: {image: i, volumes: ["v:/v"]}\nvolumes:\n  v: {name: real, driver: local, labels: {a: b}}\n';
  const overrideFile = () => join(folder, 'compose.override.yaml');

  test('beside what the file before says of it is refused at its own place, with the way that works', async () => {
    writeFileSync(overrideFile(), 'volumes:\n  v: {external: true, name: mine}\n');
    const { lines, hint } = await refusal(load(base, { overrideFile: overrideFile() }));
    expect(lines).toEqual([
      'compose.override.yaml:2:17: volumes.v.external: stands against driver, labels in a.yaml:4, which this is merged with; Compose refuses it too',
    ]);
    expect(hint).toBe('put this in place of what is there: "v: !override {external: true, name: mine}"');
  });

  test('in its place is taken, and x-holds says what it holds', async () => {
    writeFileSync(overrideFile(), 'volumes:\n  v: !override {external: true, name: mine, x-holds: models}\n');
    const { volumes } = await load(base, { overrideFile: overrideFile() });
    expect(volumes.get('v')).toEqual({
      key: 'v',
      name: 'mine',
      external: true,
      driverOpts: new Map(),
      labels: new Map([['io.aixcl.holds', 'models']]),
    });
  });
});

test('a missing bind source is created only where the long form asks for it', async () => {
  const { services } = await load(
    'services:\n  web:\n    image: i\n    volumes:\n      - ./a:/a\n      - {type: bind, source: ./b, target: /b}\n      - {type: bind, source: ./c, target: /c, bind: {create_host_path: true}}\n',
  );
  const made = services.get('web')!.mounts.map((mount) => mount.kind === 'bind' && mount.createSource);
  expect(made).toEqual([false, false, true]);
});

test('relative paths start at the first file, ~ is HOME', async () => {
  const { services } = await load('services:\n  web:\n    build: ./ctx\n    volumes: ["./a:/a", "~/b:/b"]\n');
  const web = services.get('web')!;
  expect(web.build?.context).toBe(join(folder, 'ctx'));
  expect(web.mounts.map((mount) => mount.kind === 'bind' && mount.source)).toEqual([
    join(folder, 'a'),
    '/home/x/b',
  ]);
});

describe('the project name', () => {
  const named = 'name: from-file\nservices: {web: {image: "${COMPOSE_PROJECT_NAME}"}}\n';
  test('is that of the command line, then of the environment, then of the file', async () => {
    const env = { COMPOSE_PROJECT_NAME: 'from-env' };
    expect((await load(named, { env, projectName: 'given' })).project).toBe('given');
    expect((await load(named, { env })).project).toBe('from-env');
    const { project, services, networks } = await load(named);
    expect([project, services.get('web')?.image, networks.get('default')?.name]).toEqual([
      'from-file',
      'from-file',
      'from-file_default',
    ]);
  });

  test('is refused when given wrongly', async () => {
    expect((await refusal(load(named, { projectName: 'No!' }))).lines).toEqual(['"No!" is no project name']);
  });
});
