import { expect, test } from 'vitest';
import { labels } from '../../src/labels.ts';
import { guardName } from '../../src/stack/volumes/guard.ts';
import { holdVolumes } from '../../src/stack/volumes/hold-volumes.ts';
import { llamaImage } from '../setup/engine-test.ts';
import { describeBothEngines, newName, run, scriptOf, specOf } from './both-engines.ts';

const { signal } = new AbortController();
const home = '/home/x/aixcl';

describeBothEngines('a guard', (given) => {
  const volume = async () => {
    const name = newName();
    await given().api.createVolume({ Name: name });
    return name;
  };
  const hold = (hold: readonly string[], images: readonly string[], letGo: readonly string[] = []) =>
    holdVolumes(given().port, { home, hold, images, letGo, signal });
  const guards = async () =>
    (await given().port.listContainers({ [labels.guard]: '' })).map(({ name }) => name);
  const inspected = () => given().api.getContainer(guardName).inspect();
  /** An image that was made of a container in which `script` ran. */
  const imageAfter = async (script: string, label = 'a=b') => {
    const { port, api } = given();
    const id = await run(given(), scriptOf(script, { user: '0:0' }));
    await api.getContainer(id).wait();
    const reference = newName();
    await api.getContainer(id).commit({ repo: reference, tag: '1', changes: `LABEL ${label}` });
    await port.removeContainer(id);
    return `${reference}:1`;
  };

  test('holds further volumes, lets go of some, and goes with the last', async () => {
    const [first, second] = [await volume(), await volume()];
    await hold([first], [llamaImage()]);
    const { Id } = await inspected();
    expect(await hold([first], [])).toMatchObject({ guard: guardName, changed: false });
    expect(await hold([second], [llamaImage()])).toMatchObject({ changed: true });
    expect((await inspected()).Mounts.map(({ Name }) => Name).sort()).toEqual([first, second].sort());
    expect((await inspected()).Id).not.toBe(Id);
    expect(await guards()).toEqual([guardName]);
    await expect(given().api.getVolume(first).remove({ force: true })).rejects.toThrow(/in use/);
    expect(await hold([], [llamaImage()], [first])).toMatchObject({ volumes: [second] });
    await given().api.getVolume(first).remove();
    expect(await hold([], [], [second])).toEqual({ guard: undefined, volumes: [], changed: true });
    expect(await guards()).toEqual([]);
  });

  test('stands on an image that can run it, whatever came before in the list', async () => {
    const bare = await imageAfter('rm -f "$(command -v sleep)"');
    const held = await volume();
    await hold([held], ['absent:1', bare, llamaImage()]);
    const { Config, State } = await inspected();
    expect({ image: Config.Image, running: State.Running }).toEqual({ image: llamaImage(), running: true });
    await expect(hold([await volume()], [bare])).resolves.toMatchObject({ changed: true });
    expect((await inspected()).Config.Image).toBe(llamaImage());
    await hold(
      [],
      [],
      (await inspected()).Mounts.flatMap(({ Name }) => Name ?? []),
    );
  });

  test('runs as root where nobody else may look into the image', async () => {
    const closed = await imageAfter('chmod 700 /usr');
    const held = await volume();
    await hold([held], [closed]);
    const { Config, HostConfig, State } = await inspected();
    expect(Config).toMatchObject({ Image: closed, User: '0:0' });
    expect({ caps: HostConfig.CapDrop, running: State.Running }).toEqual({ caps: ['ALL'], running: true });
    await hold([], [], [held]);
  });

  test('takes no label of Compose along from an image that Compose built', async () => {
    const built = await imageAfter('true', 'com.docker.compose.project=aixcl');
    const held = await volume();
    await hold([held], [built]);
    const { Config } = await inspected();
    expect(Config).toMatchObject({ Image: built, Labels: { 'com.docker.compose.project': '' } });
    await hold([], [], [held]);
  });

  test('is none of another name or home, and neither is touched', async () => {
    const { port } = given();
    const id = await port.createContainer(guardName, specOf());
    const held = await volume();
    const { guard } = await hold([held], [llamaImage()]);
    expect(guard).toMatch(/^aixcl-guard-[0-9a-f]{12}$/);
    expect(await hold([], [])).toMatchObject({ guard, changed: false });
    await expect(port.removeGuard(id, home)).rejects.toMatchObject({ code: 'refused' });
    await port.removeContainer(id);
    expect(await hold([], [])).toEqual({ guard: guardName, volumes: [held], changed: true });
    await hold([], [], [held]);
  });
});
