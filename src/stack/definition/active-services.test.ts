import { describe, expect, test } from 'vitest';
import { activeProfiles, activeServices } from './active-services.ts';
import { load } from './definition-fixture.ts';

describe('the services that a command acts on', () => {
  const stack = `services:
  web: {image: i, depends_on: [db]}
  db: {image: i}
  ui: {image: i, profiles: [webui], depends_on: {web: {condition: service_started}, extra: {condition: service_started, required: false}}}
  extra: {image: i, profiles: [more]}
  strict: {image: i, profiles: [strict], depends_on: [extra]}
`;
  const names = async (profiles: string[], named: string[] = []) => [
    ...activeServices(await load(stack), profiles, named).keys(),
  ];

  test('are those without profile, and those of the profiles that are on', async () => {
    expect(await names([])).toEqual(['web', 'db']);
    expect(await names(['webui'])).toEqual(['web', 'db', 'ui']);
    expect(await names(['*'])).toEqual(['web', 'db', 'ui', 'extra', 'strict']);
  });

  test('are those named with what they depend on', async () => {
    expect(await names([], ['db'])).toEqual(['db']);
    expect(await names([], ['ui'])).toEqual(['web', 'db', 'ui']);
  });

  test('do not wait for a dependency that is off and not required', async () => {
    const active = activeServices(await load(stack), ['webui']);
    expect([...active.get('ui')!.dependsOn.keys()]).toEqual(['web']);
  });

  test('are refused when a required dependency is off, or a name is none', async () => {
    await expect(names([], ['strict'])).rejects.toMatchObject({ code: 'usage', hint: 'add --profile more' });
    await expect(names([], ['bd'])).rejects.toMatchObject({ code: 'notFound', hint: 'did you mean "db"?' });
  });

  test('profiles of the command line stand over COMPOSE_PROFILES', () => {
    const env = { COMPOSE_PROFILES: 'a, b,' };
    expect(activeProfiles([], env)).toEqual(['a', 'b']);
    expect(activeProfiles(['c'], env)).toEqual(['c']);
  });
});
