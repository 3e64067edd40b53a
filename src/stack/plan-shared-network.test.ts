import { expect, test } from 'vitest';
import { planned } from './test-plan.ts';
import { ourContainer, service, stack } from './test-stack.ts';

const owner = service('owner');
const guest = service('guest', { networkMode: 'service:owner' });
const definition = stack([guest, owner]);
const ownerContainer = ourContainer(definition, owner);
const guestOf = (networkMode: string) => ourContainer(definition, guest, { networkMode });

test('a container that shares the network of a kept one is kept', async () => {
  const containers = [ownerContainer, guestOf(`container:${ownerContainer.id}`)];
  expect(await planned(definition, { containers })).toMatch(/^keep owner.*\nkeep guest/);
});

test('a container that shares the network of one that is made anew is made anew too', async () => {
  const drifted = {
    ...ownerContainer,
    labels: { ...ownerContainer.labels, 'io.aixcl.config-hash': 'other' },
  };
  const text = await planned(definition, {
    containers: [drifted, guestOf(`container:${ownerContainer.id}`)],
  });
  expect(text).toContain('replace owner');
  expect(text).toContain('replace guest: owner, whose network it shares, has a new container');
});

test('a container that shares the network of one that is gone is made anew', async () => {
  const text = await planned(definition, { containers: [ownerContainer, guestOf('container:0123')] });
  expect(text).toContain('keep owner');
  expect(text).toContain('replace guest: owner, whose network it shares, has a new container');
});
