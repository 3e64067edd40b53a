import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

test("the page's image is tagged with the version of aixcl, so that a new version never runs an old page", () => {
  const [, tag] = /aixcl\/upload-ui:([^}]+)\}/.exec(read('services/compose.yaml')) ?? [];
  expect(tag).toBe((JSON.parse(read('package.json')) as { version: string }).version);
});

test('what the page is built on is the same in Compose file and Dockerfile', () => {
  const [, inCompose] = /NODE_IMAGE:-([^}]+)\}/.exec(read('services/compose.yaml')) ?? [];
  const [, inDockerfile] = /ARG NODE_IMAGE=(\S+)/.exec(read('services/upload-ui/Dockerfile')) ?? [];
  expect(inCompose).toBe(inDockerfile);
});
