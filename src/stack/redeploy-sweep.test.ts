import { expect, test } from 'vitest';
import { AixclError } from '../errors.ts';
import { labels } from '../labels.ts';
import type { ServiceDefinition } from './definition/types.ts';
import { isAside, isFailed } from './recreate/set-aside.ts';
import { TestEngine } from './test-engine.ts';
import { replacedId } from './test-plan.ts';
import { container, imageIdOf, ourContainer, service, stack } from './test-stack.ts';
import { type StartOptions, start } from './test-start.ts';

const check = { test: ['CMD', 'check'] };
const at = (image: string, policy: 'always' | 'unless-stopped') =>
  service('a', { image, restart: { name: policy }, healthcheck: check });

const changes = [
  'createContainer',
  'startContainer',
  'stopContainer',
  'renameContainer',
  'setRestartPolicy',
  'removeContainer',
] as const;

/** An engine on which `old` runs; any image but `a:bad` is healthy. Two containers that run at once are an error. */
class Lab {
  readonly engine: TestEngine;
  /** Changes that the process which drives it still lives to make. */
  life = Number.POSITIVE_INFINITY;
  readonly #old: ServiceDefinition;

  constructor(
    old: ServiceDefinition,
    made = ourContainer(stack([old]), old, { id: replacedId, health: 'healthy' }),
  ) {
    this.#old = old;
    this.engine = new TestEngine({
      images: ['a:0', 'a:1', 'a:bad'],
      networks: ['aixcl_default'],
      containers: [made],
    });
    this.engine.restartPolicies.set(replacedId, old.restart!);
    const inspect = this.engine.inspectContainer;
    this.engine.inspectContainer = async (id) => {
      const found = await inspect(id);
      return found?.image === 'a:bad' && found.state === 'running'
        ? { ...found, health: 'unhealthy' }
        : found;
    };
    this.engine.exec = async (id) => ({
      exitCode: (await inspect(id))?.image === 'a:bad' ? 1 : 0,
      output: '',
    });
    for (const kind of changes) {
      const plain = this.engine[kind] as (...args: unknown[]) => Promise<unknown>;
      const mortal = async (...args: unknown[]) => {
        if (this.life <= 0) throw new AixclError('engineUnreachable', 'killed');
        this.life -= 1;
        const answer = await plain(...args);
        await this.#check(`${kind} ${args[1] ?? args[0]}`);
        return answer;
      };
      Object.assign(this.engine, { [kind]: mortal });
    }
  }

  /** The next process. Answers whether this one lived to its end. */
  async run(
    definition: ServiceDefinition,
    life = Number.POSITIVE_INFINITY,
    options: StartOptions = {},
  ): Promise<boolean> {
    this.life = life;
    await start(this.engine, stack([definition]), options);
    const lived = this.life > 0;
    this.life = Number.POSITIVE_INFINITY;
    return lived;
  }

  /** As the daemon does when it comes up. */
  async restartDaemon(): Promise<void> {
    for (const { id, state } of await this.engine.listContainers()) {
      const policy = this.engine.restartPolicies.get(id)?.name ?? 'no';
      const ran = state === 'running';
      const comes = (policy === 'always' && state !== 'created') || (policy === 'unless-stopped' && ran);
      this.engine.change(id, { state: comes ? 'running' : ran ? 'exited' : state });
    }
    await this.#check('the restart of the daemon');
  }

  /** As `docker compose up -d` was seen to do with two: the new one is removed, the old one started. */
  async composeUp(): Promise<void> {
    const [oldest, ...others] = await this.engine.listContainers();
    for (const { id } of others) await this.engine.removeContainer(id);
    if (oldest) await this.engine.startContainer(oldest.id);
  }

  async settled(): Promise<object> {
    const found = await this.engine.listContainers();
    return {
      containers: found.map(({ name, state, image }) => `${name} ${state} ${image}`),
      policies: found.map(({ id }) => this.engine.restartPolicies.get(id)?.name),
    };
  }

  async #check(after: string): Promise<void> {
    const all = await this.engine.listContainers();
    const running = all.filter(({ state }) => state === 'running');
    expect(running.length, `${after}: ${running.map(({ name }) => name).join(', ')} run`).toBeLessThanOrEqual(
      1,
    );
    for (const one of all) {
      const own =
        one.id === replacedId ? this.#old.restart?.name : this.engine.specs.get(one.id)?.restart?.name;
      const taken = this.engine.restartPolicies.get(one.id)?.name !== own;
      if (taken)
        expect([
          after,
          one.name,
          isAside(one) || isFailed(one) || one.name.includes('.before-aixcl-'),
        ]).toEqual([after, one.name, true]);
    }
  }
}

const old = at('a:0', 'always');
const between = [
  ['nothing', 'unless-stopped', async () => {}],
  ['a restart of the daemon', 'unless-stopped', (lab: Lab) => lab.restartDaemon()],
  // With the new container goes what says which policy the old one had; then it gets that of the definition.
  ['docker compose up', 'always', (lab: Lab) => lab.composeUp()],
] as const;

for (const [name, policy, happen] of between) {
  const fine = at('a:1', policy);
  const bad = at('a:bad', policy);

  test(`killed anywhere in a redeploy, and then ${name}: the next start ends it`, async () => {
    for (let life = 0; ; life += 1) {
      const lab = new Lab(old);
      const lived = await lab.run(fine, life);
      if (!lived) await happen(lab);
      await lab.run(fine);
      expect([life, await lab.settled()]).toEqual([
        life,
        { containers: ['a running a:1'], policies: [policy] },
      ]);
      if (lived) break;
    }
  });

  test(`killed anywhere in a redeploy, or in going back, and then ${name}: the next start goes back`, async () => {
    for (let life = 0; ; life += 1) {
      const lab = new Lab(old);
      const lived = await lab.run(bad, life);
      if (!lived) await happen(lab);
      const expected = { containers: ['a running a:0'], policies: ['always'] };
      await lab.run(bad);
      expect([life, 'the same again', await lab.settled()]).toEqual([life, 'the same again', expected]);
      if (lived) break;

      const mended = new Lab(old);
      await mended.run(bad, life);
      await happen(mended);
      await mended.run(old);
      expect([life, 'taken back', await mended.settled()]).toEqual([life, 'taken back', expected]);
    }
  });

  test(`killed anywhere in a redeploy that was left unproven, and then ${name}: a third definition comes up`, async () => {
    for (let life = 0; life < 12; life += 1) {
      const lab = new Lab(old);
      await lab.run(bad, 6);
      await lab.run(fine, life);
      await happen(lab);
      await lab.run(fine);
      expect([life, await lab.settled()]).toEqual([
        life,
        { containers: ['a running a:1'], policies: [policy] },
      ]);
    }
  });
}

test('killed anywhere in a take-over: the next one ends it, and what was started by hand is still there', async () => {
  for (const image of ['a:1', 'a:bad']) {
    for (let life = 0; ; life += 1) {
      const lab = new Lab(old, container('a', { id: replacedId, image: 'a:0' }));
      const wish = { wish: { adopt: true } };
      const lived = await lab.run(at(image, 'always'), life, wish);
      await lab.run(at('a:1', 'always'), Number.POSITIVE_INFINITY, wish);
      expect([image, life, await lab.settled()]).toMatchObject([
        image,
        life,
        { containers: ['a.before-aixcl-a5559cc38d9d exited a:0', 'a running a:1'] },
      ]);
      if (lived) break;
    }
  }
});

test('what replaced another keeps the mark of it, and is replaced as any other', async () => {
  const lab = new Lab(old);
  await lab.run(at('a:1', 'unless-stopped'));
  await lab.run(at('a:1', 'always'));
  const [found] = await lab.engine.listContainers();
  expect(found).toMatchObject({ name: 'a', imageId: imageIdOf('a:1') });
  expect(found?.labels[labels.replacedRestart]).toBe('unless-stopped');
});
