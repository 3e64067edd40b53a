import { expect, test } from 'vitest';
import type { ContainerSummary } from '../engine.ts';
import {
  composeContainer,
  container,
  containerId,
  ourContainer,
  replacing,
  service,
  stack,
} from '../test-stack.ts';
import { standing } from './condition.ts';
import { asideName, failedName } from './set-aside.ts';

const web = service('web');
const definition = stack([web]);
const old = composeContainer(definition, web, { id: containerId('a5559cc38d9d'), state: 'exited' });
const prefixed = composeContainer(definition, web, { ...replacing(old), labels: {} });
const aside = { ...old, name: asideName('web', old.id) };
const failed = ourContainer(definition, web, { id: containerId('0f'), state: 'exited' });

function told(...containers: ContainerSummary[]): string {
  const { match, condition, candidates } = standing(definition, web, containers);
  return [match?.container.name ?? 'none', condition ?? 'fine', ...(candidates ?? [])].join(' | ');
}

test('a container under its own name is fine, and so is none', () => {
  expect(told(old)).toBe('web | fine');
  expect(told()).toBe('none | fine');
});

test.each([
  [
    'beside the old container',
    [prefixed, old],
    'web | an interrupted recreate left a5559cc38d9d_web beside it; aixcl service restart web mends that',
  ],
  [
    'alone',
    [prefixed],
    'a5559cc38d9d_web | its container is called a5559cc38d9d_web: an interrupted recreate; aixcl service restart web gives it its name back',
  ],
  [
    'running beside a stopped one',
    [old, { ...prefixed, state: 'running' as const }],
    'a5559cc38d9d_web | its container is called a5559cc38d9d_web and web stands beside it: an interrupted recreate; aixcl service restart web mends that',
  ],
  [
    "as Compose 1's, which renamed the old one",
    [{ ...old, name: 'a5559cc38d9d_web' }, composeContainer(definition, web, { id: containerId('c1') })],
    'web | an interrupted recreate left a5559cc38d9d_web beside it; aixcl service restart web mends that',
  ],
  [
    "while its name is another project's",
    [prefixed, container('web', { labels: { 'com.docker.compose.project': 'other' } })],
    'a5559cc38d9d_web | its container is called a5559cc38d9d_web, and its name is taken by another one: docker rename web web-other, then aixcl service restart web',
  ],
  [
    'of nobody known',
    [container('a5559cc38d9d_web')],
    'a5559cc38d9d_web | only its name tells that a5559cc38d9d_web belongs to it, an interrupted recreate perhaps; aixcl service restart web gives it its name back, aixcl stack start --adopt takes it over',
  ],
])('a prefixed container %s is named, with the command that mends it', (_how, containers, line) => {
  expect(told(...containers)).toBe(line);
});

test('a redeploy that is not over is named, with the command that finishes it', () => {
  const next = ourContainer(definition, web, { id: containerId('0b') });
  expect(told(aside, next)).toBe(
    `web | web is to replace ${aside.name}, which is kept until the new one is known to be healthy; aixcl service start web removes it then, or goes back to it`,
  );
  expect(told(aside)).toBe(
    `${aside.name} | its container is called ${aside.name}: a redeploy is under way, or was interrupted; aixcl service start web gives it its name back`,
  );
  const given = { ...failed, name: failedName('web', failed.id) };
  expect(told(old, given)).toBe(
    `web | a redeploy that failed left ${given.name} beside it; aixcl service restart web mends that`,
  );
  expect(told(given)).toBe(
    `${given.name} | a redeploy that failed left ${given.name} behind; aixcl service start web makes it anew`,
  );
});

test('where it is not clear all are named as candidates; what holds data alone is told of one that serves', () => {
  const second = composeContainer(definition, web, { name: 'second' });
  expect(told({ ...old, state: 'running' }, second)).toBe(
    'web | 2 containers could be web: web, second; aixcl does not choose between them; web and second run | web | second',
  );
  const holding = { ...old, mounts: [{ kind: 'volume', name: 'precious', target: '/data' }] };
  expect(told(holding, { ...prefixed, state: 'running' })).toBe(
    'a5559cc38d9d_web | 2 containers could be web: web, a5559cc38d9d_web; aixcl does not choose between them; web alone holds the volume precious',
  );
});
