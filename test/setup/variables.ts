/**
 * What `global.ts` tells the tests about the engine that it made for them, by way of the environment. Test code reads these through
 * `engine-test.ts`.
 */
export const variables = {
  /** `unix:///…` of the private engine. */
  host: 'AIXCL_TEST_DOCKER_HOST',
  /** Where that engine keeps pid file, socket and log. */
  engine: 'AIXCL_TEST_ENGINE',
  /** Reference of an image with llama-server, curl and a shell; it is on the private engine. */
  llamaImage: 'AIXCL_TEST_LLAMA_IMAGE',
  /** A program that is Docker Compose 2. */
  compose: 'AIXCL_TEST_COMPOSE',
  /** Root of a Debian with a current engine in it. */
  debianRoot: 'AIXCL_TEST_DEBIAN_ROOT',
  /** `KEY=VALUE`, for what a test leaves beside the engine. */
  label: 'AIXCL_TEST_LABEL',
  /** Number of this run's engine; two runs at once have two. */
  slot: 'AIXCL_TEST_SLOT',
  /** Why engine tests can't run here. */
  obstacle: 'AIXCL_TEST_OBSTACLE',
} as const;
