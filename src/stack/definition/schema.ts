import * as z from 'zod/mini';

// Compiling validators pays off only over many documents; a command reads one.
z.config({ jitless: true });

/** Every key that aixcl supports, with the types that Compose's own schema gives it. What the texts mean is read later. */
export type ComposeSchema = ReturnType<typeof buildSchema>;

let built: ComposeSchema | undefined;

/** Built on first use, so that commands without a definition do not pay for it. */
export function composeSchema(): ComposeSchema {
  built ??= buildSchema();
  return built;
}

function buildSchema() {
  const text = z.string();
  // Interpolation leaves texts where a number or a boolean is meant.
  const flag = z.union([z.boolean(), z.string()]);
  const integer = z.union([z.int(), z.string()]);
  const number = z.union([z.number(), z.string()]);
  const textList = z.array(text);
  const textOrList = z.union([text, textList]);
  const words = z.union([z.null(), text, textList]);
  const plainValue = z.union([z.string(), z.number(), z.boolean(), z.null()]);
  const pairs = z.union([z.record(text, plainValue), textList]);
  const options = z.record(text, z.union([z.string(), z.number(), z.null()]));
  const external = z.union([flag, object({ name: text })]);

  const deviceRequests = z.array(
    object({ driver: text, count: integer, device_ids: textList, capabilities: textList }),
  );
  const service = object({
    image: text,
    build: z.union([text, object({ context: text, dockerfile: text, args: pairs, target: text })]),
    container_name: text,
    command: words,
    entrypoint: words,
    environment: pairs,
    env_file: z.union([text, z.array(z.union([text, object({ path: text, required: flag, format: text })]))]),
    ports: z.array(
      z.union([
        z.number(),
        text,
        object({
          target: integer,
          published: integer,
          host_ip: text,
          protocol: text,
          mode: text,
          name: text,
          app_protocol: text,
        }),
      ]),
    ),
    volumes: z.array(
      z.union([
        text,
        object({
          type: z.enum(['bind', 'volume', 'tmpfs']),
          source: text,
          target: text,
          read_only: flag,
          consistency: text,
          bind: object({ propagation: text, create_host_path: flag, selinux: z.enum(['z', 'Z']) }),
          volume: object({ nocopy: flag }),
          tmpfs: object({ size: number, mode: number }),
        }),
      ]),
    ),
    tmpfs: textOrList,
    networks: z.union([
      textList,
      z.record(text, z.union([z.null(), object({ aliases: textList, ipv4_address: text })])),
    ]),
    network_mode: text,
    depends_on: z.union([
      textList,
      z.record(
        text,
        object({
          condition: z.enum(['service_started', 'service_healthy', 'service_completed_successfully']),
          required: flag,
          restart: flag,
        }),
      ),
    ]),
    healthcheck: object({
      test: textOrList,
      interval: text,
      timeout: text,
      start_period: text,
      start_interval: text,
      retries: number,
      disable: flag,
    }),
    restart: text,
    init: flag,
    user: text,
    group_add: z.array(z.union([z.string(), z.number()])),
    working_dir: text,
    cap_add: textList,
    cap_drop: textList,
    security_opt: textList,
    read_only: flag,
    privileged: flag,
    devices: z.array(z.union([text, object({ source: text, target: text, permissions: text })])),
    gpus: z.union([z.literal('all'), deviceRequests]),
    runtime: text,
    deploy: z.union([
      z.null(),
      object({
        resources: object({
          limits: object({ cpus: number, memory: text, pids: integer }),
          reservations: object({ cpus: number, memory: text, devices: deviceRequests }),
        }),
      }),
    ]),
    shm_size: number,
    ulimits: z.record(text, z.union([integer, object({ soft: integer, hard: integer })])),
    stop_signal: text,
    stop_grace_period: text,
    extra_hosts: z.union([z.record(text, textOrList), textList]),
    hostname: text,
    labels: pairs,
    profiles: textList,
    logging: object({ driver: text, options }),
    pull_policy: text,
    platform: text,
  });
  const volume = object({ name: text, driver: text, driver_opts: options, external, labels: pairs });
  const network = object({
    name: text,
    driver: text,
    driver_opts: options,
    external,
    internal: flag,
    labels: pairs,
    ipam: object({
      driver: text,
      config: z.array(object({ subnet: text, ip_range: text, gateway: text })),
    }),
  });
  return object({
    name: text,
    services: z.record(text, service),
    volumes: z.record(text, z.union([z.null(), volume])),
    networks: z.record(text, z.union([z.null(), network])),
  });
}

/** Nothing is required of a single file: another may say the rest. */
function object<Shape extends Record<string, z.core.$ZodType>>(shape: Shape) {
  return z.partial(z.strictObject(shape));
}
