import { expect, test } from 'vitest';
import { checks, diagnose } from './diagnose.ts';
import { matters } from './finding.ts';
import { answers, planFix } from './plan-fix.ts';
import { gravity, summary } from './summary.ts';
import { daysAgo, examined, otherVolume, ourService, ourVolume } from './test-examined.ts';

/** A home in which whatever can be wrong is. */
const wrong = examined({
  engine: {
    answers: true,
    address: 'unix:///var/run/docker.sock',
    version: '20.10.24',
    apiVersion: '1.41',
    dockerElsewhere: { context: 'work', address: 'unix:///work.sock' },
  },
  definition: { what: 'compose.yaml:3:1: no such key', command: null },
  otherHomes: [{ home: '/root/aixcl', seenAt: 'the container ollama' }],
  folders: (['closed', 'missing', 'no folder'] as const).map((state) => ({
    path: `/home/x/aixcl/${state}`,
    what: 'the folder',
    state,
    owner: 'root',
    user: 'x',
    neededBy: 'the volume ollama',
  })),
  disks: [{ holds: ['models'], path: '/', free: 1e9, total: 1000e9 }],
  vaultSharesDisk: true,
  ports: [{ service: 'ollama', what: 'ollama needs port 11434, and it is taken', command: 'ss -ltnp' }],
  gpu: { message: 'the engine gives containers no NVIDIA GPU', mend: 'Install nvidia-container-toolkit' },
  volumes: [ourVolume({ heldBy: null }), ourVolume({ name: 'webui', heldBy: 'running container webui' })],
  otherVolumes: [otherVolume(), otherVolume({ name: 'copied', here: 3 })],
  hostStores: [{ path: '/usr/share/ollama/.ollama/models', models: 1, bytes: 1e9, here: 0 }],
  store: {
    place: '/home/x/aixcl/ollama/models',
    unreadable: [{ model: 'tea:latest', why: 'it is empty' }],
    incomplete: [{ model: 'milk:latest', why: 'blobs/sha256-0 is missing' }],
    orphans: { files: 1, bytes: 10 },
    partials: { files: 2, bytes: 20, newest: daysAgo(3) },
  },
  vault: {
    path: '/home/x/aixcl/vault',
    broken: [{ name: 'b0001', why: 'its manifest is missing' }],
    damaged: [{ id: 'b0002', name: 'tea:latest', why: 'a blob is wrong' }],
    damagedWhenSaved: [{ id: 'b0003', name: 'ale:latest', why: 'a blob was wrong' }],
    snapshots: 4,
    unverified: 2,
    oldestVerification: daysAgo(40),
    quarantine: { files: 1, bytes: 5 },
    ingest: { files: 1, bytes: 5 },
    elsewhere: false,
  },
  backups: { uniqueWithout: ['own.gguf'], pulledWithout: ['tea:latest'], models: 2, newest: daysAgo(31) },
  leftovers: {
    helpers: ['aixcl-helper-1'],
    unfinishedNames: true,
    interrupted: { operation: '20261122t010203-abcdef', command: 'models remove', began: daysAgo(1) },
    uploads: [{ file: 'tea.gguf', bytes: 5, touched: daysAgo(8) }],
  },
  services: [
    ourService({ condition: 'its container is called 0123456789ab_ollama', onlyRename: true }),
    ourService({ service: 'llama-server', health: 'unhealthy' }),
    ourService({
      service: 'open-webui',
      matchedBy: 'name',
      condition: 'aixcl did not make it; aixcl stack start --adopt',
    }),
  ],
  images: {
    drifted: [{ service: 'ollama', runs: 'ollama:1', named: 'ollama:2' }],
    overridden: [{ variable: 'OLLAMA_IMAGE', value: 'ollama:1', pin: 'ollama:2' }],
  },
  unexamined: [{ part: 'the disks', what: 'no answer within 2.5 s', command: null }],
});

test('a home in which nothing is wrong has no finding, and is told what was looked at', () => {
  const healthy = examined();
  expect(diagnose(healthy)).toEqual([]);
  expect(summary(healthy, [])).toBe(
    'Nothing found: engine 28.5.2 (API 1.51), 1 service, 1 volume, 1 disk, 2 models, 2 snapshots',
  );
});

test('every check finds something where everything is wrong', () => {
  for (const check of checks) expect(check(wrong), check.name).not.toEqual([]);
});

test('what endangers models comes first, notes last, and a part that was not looked at brings no other finding', () => {
  const found = diagnose(wrong).map(({ level }) => level);
  expect([...found].sort((a, b) => rank(a) - rank(b))).toEqual(found);
  const unknown = { disks: undefined, volumes: undefined, vault: undefined, services: undefined } as const;
  expect(diagnose(examined(unknown))).toEqual([]);
});

function rank(level: string): number {
  return ['danger', 'problem', 'note'].indexOf(level);
}

test('each finding says what, why, and, unless it is a note, what to type', () => {
  for (const finding of diagnose(wrong)) {
    expect(finding.check).toMatch(/^[a-z]+(-[a-z]+)+$/);
    expect(finding.what, finding.check).not.toBe('');
    expect(finding.why, finding.check).toMatch(/\.$/);
    if (matters(finding)) expect(finding.command, finding.check).toBeTruthy();
  }
});

test('nothing is told twice', () => {
  const names = diagnose(wrong).map(({ check, what }) => `${check} ${what}`);
  expect(new Set(names).size).toBe(names.length);
});

test('whatever is called fixable is fixed by a step, and every step answers a finding', () => {
  const fixable = diagnose(wrong).filter((finding) => finding.fixable);
  const steps = planFix(wrong);
  const answered = new Set(steps.flatMap(({ kind }) => answers[kind]));
  expect(fixable.map(({ check }) => check).filter((check) => !answered.has(check))).toEqual([]);
  const found = new Set(fixable.map(({ check }) => check));
  for (const { kind } of steps)
    expect(
      answers[kind].some((check) => found.has(check)),
      kind,
    ).toBe(true);
  for (const { check, why, command } of fixable)
    expect(`${why} ${command}`, check).toContain('aixcl doctor --fix');
});

test('nothing is fixed where nothing is wrong', () => {
  expect(planFix(examined())).toEqual([]);
});

test('findings are counted by level, and those that matter in words', () => {
  const found = diagnose(examined({ volumes: [ourVolume({ heldBy: null })], vaultSharesDisk: true }));
  expect(summary(examined(), found)).toBe('2 findings: 1 danger, 0 problems, 1 note');
  expect(gravity(found)).toBe('1 danger');
  expect(gravity(diagnose(wrong))).toMatch(/^\d+ dangers and \d+ problems$/);
});
