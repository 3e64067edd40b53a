import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startDockerRegistry } from '../setup/docker-registry.ts';
import { docker, freePort, llamaImage } from '../setup/engine-test.ts';
import { all, describeBothEngines, newName, run, specOf, type UnderTest } from './both-engines.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'aixcl-images-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** An image of one layer with a file of random bytes in it. */
async function importSmall({ port }: UnderTest, tag: string, size = 10): Promise<string> {
  writeFileSync(join(folder, 'content'), randomBytes(size));
  const tar = spawn('tar', ['--create', '--directory', folder, '.']);
  return port.importImage(tag, tar.stdout, ['LABEL made=here', 'ENV A=b', 'ENTRYPOINT ["/x"]']);
}

const built = (dockerfile: string, args: Record<string, string> = {}, target?: string) => {
  writeFileSync(join(folder, 'Dockerfile'), dockerfile);
  return {
    context: folder,
    dockerfile: 'Dockerfile',
    args: new Map(Object.entries(args)),
    ...(target && { target }),
  };
};

describeBothEngines('images', (given) => {
  test('are imported with their settings, under name and tag', async () => {
    const name = newName();
    const id = await importSmall(given(), `local/${name}:v1`);
    expect(await given().port.inspectImage(`local/${name}:v1`)).toEqual({
      id,
      tags: [`local/${name}:v1`],
      digests: [],
      labels: { made: 'here' },
      size: expect.any(Number),
    });
    expect((await given().api.getImage(id).inspect()).Config).toMatchObject({ Entrypoint: ['/x'] });
    const untagged = await importSmall(given(), name);
    expect((await given().port.inspectImage(name))?.id).toBe(untagged);
    expect((await given().port.inspectImage(`${name}:latest`))?.id).toBe(untagged);
  });

  test('are not imported from what is no tar', async () => {
    const { port } = given();
    const noise = spawn('head', ['-c', '2000', '/dev/urandom']);
    await expect(port.importImage(newName(), noise.stdout, [])).rejects.toMatchObject({ code: 'unexpected' });
  });

  test('are built from a Dockerfile with arguments, a target, and what .dockerignore leaves in', async () => {
    const under = given();
    const tag = `${newName()}:1`;
    for (const [name, content] of [
      ['kept', 'kept'],
      ['left', 'left'],
      ['.dockerignore', 'left\nsub/left\n'],
    ] as const)
      writeFileSync(join(folder, name), content);
    mkdirSync(join(folder, 'sub'));
    writeFileSync(join(folder, 'sub', 'left'), 'x');
    writeFileSync(join(folder, 'sub', 'kept'), 'x');
    mkdirSync(join(folder, 'sub', 'empty'));
    const definition = built(
      `FROM ${llamaImage()} AS wanted\nARG WORD\nCOPY . /all\nRUN echo "$WORD" > /word\nFROM wanted AS other\nRUN exit 1\n`,
      { WORD: 'größe' },
      'wanted',
    );
    const lines = await all(under.port.buildImage(tag, definition, {}));
    expect(lines.join('\n')).toContain('COPY . /all');
    const id = await run(under, specOf({ image: tag }));
    const { output } = await under.port.exec(id, ['sh', '-c', 'cat /word; ls /all /all/sub']);
    expect(output).toContain('größe');
    expect(output.split('\n').filter((line) => /kept|left|empty/.test(line))).toEqual([
      'kept',
      'empty',
      'kept',
    ]);
  });

  test("that can not be built say why in the builder's words", async () => {
    const { port } = given();
    const failing = built(`FROM ${llamaImage()}\nRUN echo before && exit 9\n`);
    await expect(all(port.buildImage('x:1', failing, {}))).rejects.toMatchObject({
      code: 'unexpected',
      message: expect.stringContaining('returned a non-zero code: 9'),
    });
    await expect(all(port.buildImage('x:1', built('NONSENSE x\n'), {}))).rejects.toThrow(/NONSENSE/);
    const nowhere = { ...failing, context: '/no/such/folder' };
    await expect(all(port.buildImage('x:1', nowhere, {}))).rejects.toMatchObject({ code: 'usage' });
  });

  test('are pulled with progress by layer, and are here afterwards', async () => {
    const under = given();
    await using registry = await startDockerRegistry();
    const name = newName();
    const tag = `${registry.address}/aixcl/${name}:1`;
    const id = await importSmall(under, tag, 6_000_000);
    expect(await docker(['push', tag], { engine: under.engine })).toMatchObject({ code: 0 });
    await under.api.getImage(tag).remove({ force: true });
    expect(await under.port.inspectImage(tag)).toBeUndefined();

    const lines = await all(under.port.pullImage(tag, {}));
    const image = await under.port.inspectImage(tag);
    expect(image?.id).toBe(id);
    expect(image?.digests[0]).toMatch(new RegExp(`^${registry.address}/aixcl/${name}@sha256:[0-9a-f]{64}$`));
    const layers = new Set(lines.flatMap(({ layer }) => layer ?? []));
    expect(layers.size).toBe(1);
    const bytes = lines.filter(({ text }) => text === 'Downloading').map(({ done, total }) => [done, total]);
    expect(bytes.length).toBeGreaterThan(0);
    for (const [done = -1, total = 0] of bytes) {
      expect(done).toBeGreaterThan(0);
      expect(total).toBeGreaterThan(5_900_000);
    }
    expect(lines.filter(({ layer }) => !layer).map(({ text }) => text)).toEqual(
      expect.arrayContaining([expect.stringContaining('Digest: sha256:')]),
    );
    const missing = `${registry.address}/aixcl/${name}:other`;
    await expect(all(under.port.pullImage(missing, {}))).rejects.toMatchObject({
      message: expect.stringMatching(/manifest.*unknown|not found/),
    });
  });

  test('that no registry answers for fail with the name and the reason', async () => {
    const { port } = given();
    const registry = `127.0.0.1:${await freePort()}`;
    const reference = `${registry}/ollama/ollama:0`;
    await expect(all(port.pullImage(reference, {}))).rejects.toMatchObject({
      name: 'AixclError',
      message: `no image registry answers for ${reference} (${registry})`,
    });
  });
});
