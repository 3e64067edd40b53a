// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Compose's own syntax
/** Files by name; those that end in `.yaml` are merged in their order. */
export interface Case {
  readonly files: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly profiles?: readonly string[];
}

export const one = (content: string, env: Record<string, string> = {}): Case => ({
  files: { 'a.yaml': content },
  env,
});
export const service = (body: string, env: Record<string, string> = {}): Case =>
  one(`services:\n  web:\n    image: i\n${body.replace(/^(?=.)/gm, '    ')}\n`, env);
export const both = (base: string, over: string, env: Record<string, string> = {}): Case => ({
  files: {
    'a.yaml': `services:\n  web:\n    image: i\n${base.replace(/^(?=.)/gm, '    ')}\n`,
    'b.yaml': `services:\n  web:\n${over.replace(/^(?=.)/gm, '    ')}\n`,
  },
  env,
});

/** Single files that Compose accepts and we support: both must mean the same. */
export const singleFiles: Readonly<Record<string, Case>> = {
  'every form of interpolation': service(
    `environment:
  PLAIN: $A
  BRACED: "\${A}"
  UNSET: "x\${NOPE}y"
  DEFAULT_UNSET: "\${NOPE:-d}"
  DEFAULT_EMPTY: "\${EMPTY:-d}"
  DASH_EMPTY: "\${EMPTY-d}"
  DASH_UNSET: "\${NOPE-d}"
  PLUS: "\${A:+r}"
  PLUS_EMPTY: "\${EMPTY:+r}"
  PLUS_ONLY: "\${EMPTY+r}"
  PLUS_UNSET: "\${NOPE+r}"
  REQUIRED: "\${A:?no}"
  REQUIRED_EMPTY: "\${EMPTY?no}"
  NESTED: "\${NOPE:-\${ALSO:-\${A}/deep}}"
  NESTED_TAIL: "\${NOPE:-\${ALSO-x}/y}/z"
  TWICE: "\${A}-\${NOPE:-b}-$A"
  JSON: '\${NOPE:-{"a": {"b": 1}}}'
  DOLLARS: "$$A $\${A} 100$"
  DIGIT: "$1 costs"
  COLONS: "\${NOPE:-http://h:1/p?q}"
  DASHES: "\${NOPE:-a-b:-c}"
  MIXED: "\${NOPE-b:?c}"
  URL: "\${NOPE:-x}:\${A:-y}@z"`,
    { A: 'value', EMPTY: '' },
  ),
  'keys are not interpolated': service('environment:\n  $A: b\nlabels:\n  - "$A=$A"', { A: 'v' }),
  'scalars as Go prints them': service(
    `environment:
  OCTAL: 0755
  OCTAL_NEW: 0o17
  HEX: 0x1F
  UNDERSCORE: 1_000
  FLOAT: 1.10
  EXPONENT: 1e3
  SMALL: 0.00001
  LARGE: 1e21
  YES: yes
  ON: on
  BOOL: True
  NOTHING: null
  SEXAGESIMAL: 22:22
  QUOTED: "1.10"
  VERSION: 1.2.3
  NEGATIVE: -5
  DOT: .5
  TAGGED: !!str 010
  FOLDED: >-
    a
    b
  BLOCK: |
    x
    y`,
    { YES: 'from env' },
  ),
  'environment as a list, without values, from env': service(
    'environment:\n  - A\n  - B=\n  - C=x=y\n  - NOPE\n  - "D= spaced "',
    { A: 'from env' },
  ),
  'environment as a map with nulls': service('environment:\n  A:\n  NOPE:\n  B: ""', { A: 'from env' }),
  'env files': {
    files: {
      'a.yaml': `services:
  web:
    image: i
    env_file:
      - one.env
      - path: two.env
      - path: missing.env
        required: false
      - path: raw.env
        format: raw
    environment:
      OVER: environment
      SET_HERE: here
`,
      'one.env': `# comment
PLAIN=a b # trailing
HASH=a#b
EMPTY=
export EXPORTED=yes
SINGLE='$A \\n it\\'s'
DOUBLE="$A \\n \\"q\\" \\$A \\\\ $PLAIN"
MULTI="one
two"
INTERPOLATED=\${A:-x}-\${PLAIN}-\${NOPE:-d}
FROM_SERVICE=$SET_HERE
OVER=file
YAML: style
SPACED = around
INHERITED
A.B-C=dots
`,
      'two.env': '\uFEFFPLAIN=second\nAFTER=${PLAIN}\r\nCR=x\r\n',
      'raw.env': 'RAW=$A "quoted" # kept\n# comment\n',
    },
    env: { A: 'env-a', INHERITED: 'taken' },
  },
  'env file as a string': {
    files: { 'a.yaml': 'services:\n  web:\n    image: i\n    env_file: ./sub/x.env\n', 'sub/x.env': 'K=v\n' },
  },
  'ports, short': service(`ports:
  - 80
  - "8080:80"
  - "127.0.0.1:8081:81"
  - "[::1]:8082:82"
  - "0.0.0.0::84"
  - "9000-9002:90-92/udp"
  - "7000-7010:70"
  - "6000-6001"
  - "53:53/UDP"
  - 22:22`),
  'ports, long': service(
    `ports:
  - target: 80
    published: "8080"
    host_ip: 127.0.0.1
    protocol: udp
    mode: host
  - target: \${T}
    published: \${P}
  - target: 81
    published: 8000-8010
  - target: 82`,
    { T: '90', P: '9090' },
  ),
  'volumes, short': one(`services:
  web:
    image: i
    volumes:
      - /anonymous
      - named:/data
      - named2:/data2/:ro
      - ./rel:/rel
      - ../up:/up:ro,z
      - ~/home:/home/x
      - /abs/:/abs:rw,rshared
      - named3:/n3:nocopy
      - .:/dot
volumes:
  named:
  named2: {}
  named3:
    name: other
`),
  'volumes, long': one(
    `services:
  web:
    image: i
    volumes:
      - type: bind
        source: \${SRC:-./x}
        target: /a/../b
        read_only: "true"
        bind: {propagation: rslave, create_host_path: false}
      - {type: volume, source: v, target: /v, volume: {nocopy: true}}
      - {type: volume, target: /anon}
      - {type: tmpfs, target: /t, tmpfs: {size: 64m, mode: 0700}}
    tmpfs: /run
volumes:
  v:
    driver: local
    driver_opts: {type: none, o: bind, device: ./here}
    labels: [a=b, c]
`,
  ),
  'commands as texts': service(
    `command: echo "a b" 'c d' e\\ f "" g"h i"j
entrypoint: /bin/sh -c`,
  ),
  'empty and null commands': service('command: []\nentrypoint:'),
  'depends_on list merged with map': one(`services:
  web:
    image: i
    depends_on: [a, b]
  a: {image: i}
  b: {image: i}
`),
  healthchecks: one(`services:
  a:
    image: i
    healthcheck: {test: "curl -f x || exit 1", interval: 1m30s, timeout: 1.5s, retries: "4", start_period: 1h, start_interval: 250ms}
  b:
    image: i
    healthcheck: {test: ["CMD", "x", "y"]}
  c:
    image: i
    healthcheck: {disable: true}
  d:
    image: i
    healthcheck: {test: NONE}
`),
  'sizes, durations, limits': service(
    `shm_size: 64M
stop_grace_period: 1m30s
stop_signal: SIGINT
ulimits:
  nproc: 65535
  nofile: {soft: 20000, hard: 40000}
  core: "\${CORE}"
deploy:
  resources:
    limits: {cpus: "0.5", memory: 1.5gb, pids: 100}
    reservations: {memory: 512mb, cpus: 0.25}`,
    { CORE: '7' },
  ),
  'shm_size as a number': service('shm_size: 67108864\npull_policy: always'),
  'gpus: all': service('gpus: all'),
  'gpus as a list': service(
    'gpus:\n  - {driver: nvidia, count: 2}\n  - {device_ids: ["0", "3"], capabilities: [utility]}',
  ),
  'reserved devices': service(
    `deploy:
  resources:
    reservations:
      devices:
        - {driver: nvidia, count: all, capabilities: [gpu]}
        - {driver: cdi, device_ids: [vendor.com/x=1], capabilities: [gpu]}
        - {capabilities: [gpu, compute], count: "\${N}"}`,
    { N: '2' },
  ),
  'networks as a list': one(`services:
  web:
    image: i
    networks: [front, default, back]
networks:
  front: {driver: bridge, internal: true, labels: {a: b}}
  back: {name: shared, external: true}
`),
  'networks as a map': one(`services:
  web:
    image: i
    networks:
      front: {aliases: [x, y], ipv4_address: 172.16.238.10}
      back:
networks:
  front:
    driver_opts: {com.docker.network.bridge.name: br9}
    ipam: {driver: default, config: [{subnet: 172.16.238.0/24, gateway: 172.16.238.1, ip_range: 172.16.238.128/25}]}
  back: {}
  unused: {}
`),
  'network of another service': one(
    'services:\n  a: {image: i}\n  b: {image: i, network_mode: "service:a"}\n  c: {image: i, network_mode: host}\n',
  ),
  'external volume by its old form': one(
    'services:\n  web: {image: i, volumes: ["vv:/v", "ww:/w"]}\nvolumes:\n  vv: {external: {name: real}}\n  ww: {external: true}\n',
  ),
  'extra hosts': one(`services:
  a:
    image: i
    extra_hosts: ["h:1.2.3.4", "v6=[::1]", "v6b:::2", "gw:host-gateway"]
  b:
    image: i
    extra_hosts: {h: 1.2.3.4, many: [1.1.1.1, 2.2.2.2]}
`),
  'simple values': service(
    `container_name: n-1
hostname: h
user: "1000:1000"
working_dir: /w
platform: linux/amd64
runtime: runc
pull_policy: if_not_present
init: "yes"
read_only: \${T}
privileged: "false"
restart: on-failure:3`,
    { T: 'true' },
  ),
  'restart: no': service('restart: no'),
  'build as a text': one('services:\n  web:\n    build: ./ctx\n'),
  'build as a map': one(
    'services:\n  web:\n    image: i\n    build: {context: ../x, dockerfile: D, args: [A=1, B, NOPE], target: t}\n  empty:\n    build: {target: t}\n',
    { B: 'b' },
  ),
  'anchors, aliases and merges': one(`x-base: &base
  restart: always
  environment: &env
    A: 1
    B: \${B:-two}
  labels: {from: base}
x-more: &more {hostname: more, restart: "no"}
services:
  web:
    <<: *base
    image: i
    environment:
      <<: *env
      B: own
  worker:
    <<: [*more, *base]
    image: &img "j:\${TAG:-1}"
    labels: {own: x}
  third:
    image: *img
`),
  'x- keys everywhere': one(`x-top: {a: 1}
services:
  web:
    image: i
    x-service: [1]
    build: {context: ., x-build: 1}
    healthcheck: {test: x, x-h: 1}
    ports: [{target: 1, x-p: 2}]
    logging: {driver: none, x-l: 1}
    deploy: {x-d: 1, resources: {x-r: 1, limits: {x-i: 1, pids: 5}}}
    networks: {n: {x-n: 1}}
    volumes: [{type: volume, source: v, target: /v, x-v: 1, volume: {x-w: 1}}]
  x-web: {image: j}
networks: {n: {x-q: 1}}
volumes: {v: {x-z: 1}, x-vol: {}}
`),
  'several documents in one file': one(
    'services:\n  web: {image: a}\n---\nservices:\n  web: {hostname: h}\n',
  ),
  'profiles off': one(
    'services:\n  a: {image: i}\n  b: {image: i, profiles: [p]}\n  c: {image: i, profiles: [p, q]}\n',
  ),
  'profiles on': {
    files: {
      'a.yaml':
        'services:\n  a: {image: i}\n  b: {image: i, profiles: [p]}\n  c: {image: i, profiles: [q]}\n',
    },
    profiles: ['q'],
  },
  'profiles from the environment': one(
    'services:\n  a: {image: i}\n  b: {image: i, profiles: [p]}\n  c: {image: i, profiles: [q]}\n',
    { COMPOSE_PROFILES: 'p,q' },
  ),
  'a dependency that is off and not required': one(
    'services:\n  a:\n    image: i\n    depends_on: {b: {condition: service_started, required: false}}\n  b: {image: i, profiles: [p]}\n',
  ),
  'an env file of a service that is off may be missing': one(
    'services:\n  a: {image: i}\n  b: {image: i, profiles: [p], env_file: nope.env}\n',
  ),
  'project name from the environment': one(
    'name: file\nservices:\n  a: {image: "${COMPOSE_PROJECT_NAME}"}\n',
    {
      COMPOSE_PROJECT_NAME: 'outer',
    },
  ),
  'project name interpolated': one('name: p-${X:-y}\nservices:\n  a: {image: i}\n'),
};
