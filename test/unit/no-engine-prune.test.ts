import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/**
 * An engine's prune takes what is nobody's in its eyes, and so what is precious in ours: it is never called. Where the source speaks of it to
 * people (`docker system prune -af`), it is a text.
 */
const root = fileURLToPath(new URL('../../', import.meta.url));

/** Ways to call it, by what the source would have. */
const calls: Readonly<Record<string, RegExp>> = {
  'a path of the Engine API':
    /\/(containers|images|volumes|networks|build)\/prune\b|\/(session|system)\/prune\b/,
  "a method of a client's":
    /\bprune(Containers|Images|Volumes|Networks|Builder|Build|System)?\s*(\?\.)?\(|\.prune\w*\b/,
  'an argument of a program': /['"`]prune['"`]/,
  'a line of a shell script': /^\s*(sudo\s+)?docker\s+(\S+\s+)*prune\b/m,
};

function callsIn(source: string): string[] {
  const code = withoutComments(source);
  return Object.entries(calls).flatMap(([what, pattern]) => (pattern.test(code) ? what : []));
}

function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)(\/\/|# ).*$/gm, '$1');
}

test('nothing that is shipped calls a prune of an engine', () => {
  const folders = ['src', 'services', 'scripts', 'bin'];
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts'))
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  expect(files.length).toBeGreaterThan(100);
  expect(
    files.flatMap((file) => callsIn(readFileSync(file, 'utf8')).map((what) => `${file}: ${what}`)),
  ).toEqual([]);
});

test.each([
  "await transport.send('POST', '/v1.41/volumes/prune')",
  'await docker.pruneVolumes({ filters })',
  'const { pruneImages } = docker;\nawait pruneImages()',
  'async #away() {\n  await this.#pruneVolumes();\n}',
  'await (await this.#docker()).pruneContainers?.()',
  "spawn('docker', ['system', 'prune', '-af'])",
  'docker volume prune -af',
  '  sudo docker -H unix:///x builder prune',
])('a call is found: %s', (source) => {
  expect(callsIn(source)).not.toEqual([]);
});

test.each([
  "const hint = 'docker system prune -af takes it';",
  "// no `docker.pruneVolumes()` here\nconst held = 'by the guard';",
  "environment: { OLLAMA_NOPRUNE: '1' }",
  '# docker volume prune would take it',
  'below API 1.42 `volume prune` takes named volumes',
  'const pruned = images.filter(isGone);',
])('a text about it is none: %s', (source) => {
  expect(callsIn(source)).toEqual([]);
});
