import type Dockerode from 'dockerode';
import { afterAll, beforeAll } from 'vitest';
import { connect } from '../../src/adapters/docker/connect.ts';
import type { NetworkDefinition } from '../../src/stack/definition/types.ts';
import type { ContainerSpec, Engine } from '../../src/stack/engine.ts';
import {
  currentTestEngine,
  describeEngine,
  llamaImage,
  type PrivateEngine,
  resetEngine,
  testEngine,
} from '../setup/engine-test.ts';

/** What a contract test of the port works on. */
export interface UnderTest {
  /** The port, as the product connects it. */
  readonly port: Engine;
  /** The engine's own API, to see what the port really did. */
  readonly api: Dockerode;
  readonly engine: PrivateEngine;
}

/** The same suite against the oldest and the current engine that the product works with. */
export function describeBothEngines(name: string, body: (given: () => UnderTest) => void): void {
  describeOn(`${name}, on the engine of this distribution`, async () => testEngine(), body);
  describeOn(`${name}, on a current engine`, currentTestEngine, body);
}

/** Against the distribution's engine alone, for what does not depend on its version. */
export function describeOneEngine(name: string, body: (given: () => UnderTest) => void): void {
  describeOn(name, async () => testEngine(), body);
}

function describeOn(
  name: string,
  engineOf: () => Promise<PrivateEngine>,
  body: (given: () => UnderTest) => void,
): void {
  describeEngine(name, () => {
    let under: UnderTest;
    beforeAll(async () => {
      const engine = await engineOf();
      const port = await connect({ host: engine.host, env: {} });
      under = { port, api: engine.api, engine };
    });
    afterAll(() => under && resetEngine(under.engine));
    body(() => under);
  });
}

/** A container's spec with nothing in it but what `own` says; without a network. */
export function specOf(own: Partial<ContainerSpec> = {}): ContainerSpec {
  return {
    image: llamaImage(),
    entrypoint: ['sleep'],
    command: ['1000'],
    environment: new Map(),
    labels: {},
    ports: [],
    mounts: [],
    networks: [],
    groupAdd: [],
    extraHosts: [],
    capAdd: [],
    capDrop: [],
    securityOpt: [],
    devices: [],
    deviceRequests: [],
    ulimits: new Map(),
    resources: {},
    init: true,
    ...own,
  };
}

/** A spec whose container runs a shell script. */
export function scriptOf(script: string, own: Partial<ContainerSpec> = {}): ContainerSpec {
  return specOf({ entrypoint: ['sh', '-c'], command: [script], ...own });
}

export function networkOf(name: string, own: Partial<NetworkDefinition> = {}): NetworkDefinition {
  return {
    key: name,
    name,
    external: false,
    driverOpts: new Map(),
    labels: new Map(),
    internal: false,
    ipam: [],
    ...own,
  };
}

let made = 0;

/** A name that no other test uses. */
export function newName(): string {
  made += 1;
  return `contract-${process.pid}-${made}`;
}

/** Makes and starts a container; answers its id. */
export async function run({ port }: UnderTest, spec: ContainerSpec, name = newName()): Promise<string> {
  const id = await port.createContainer(name, spec);
  await port.startContainer(id);
  return id;
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
