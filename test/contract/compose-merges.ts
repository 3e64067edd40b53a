// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Compose's own syntax
import { both, type Case } from './compose-cases.ts';

/** Several files merged into one definition, as Compose merges them. */
export const merges: Readonly<Record<string, Case>> = {
  'ports merged by all four parts': both(
    'ports: ["80:80", "127.0.0.1:81:81"]',
    'ports:\n  - "80:80"\n  - "82:81"\n  - target: 81\n    published: "81"\n    host_ip: 127.0.0.1',
  ),
  'volumes merged by target': both(
    'volumes: ["./a:/x", "/keep", "./b:/y:ro"]',
    'volumes:\n  - ./other:/x:ro\n  - {type: tmpfs, target: /y}\n  - ./new:/z',
  ),
  'tmpfs list and string': both('tmpfs: /run:size=64m', 'tmpfs: ["/tmp", "/run:size=128m,mode=1777"]'),
  'command of a later file replaces': both(
    'command: ["a", "b"]\nentrypoint: x',
    'command: c\nentrypoint: ["y"]',
  ),
  'null command of a later file': both('command: ["a"]', 'command:'),
  'labels in both forms': both('labels: {a: 1, b: true, c: , d: x}', 'labels: ["b=y", "e", "f=a=b"]'),
  'environment merged over both forms': both(
    'environment: {A: 1, B: 2.50, C: }',
    'environment: ["B=two", "D", "A"]',
    { D: 'from env', A: 'outer' },
  ),
  'depends_on over two files': {
    files: {
      'a.yaml': `services:
  web:
    image: i
    depends_on:
      a: {condition: service_healthy, required: false, restart: true}
      b: {condition: service_completed_successfully}
  a: {image: i}
  b: {image: i}
  c: {image: i}
`,
      'b.yaml':
        'services:\n  web:\n    depends_on:\n      a: {condition: service_started}\n      c: {condition: service_started}\n',
    },
  },
  'depends_on list over map': {
    files: {
      'a.yaml':
        'services:\n  web:\n    image: i\n    depends_on:\n      a: {condition: service_healthy, required: false}\n  a: {image: i}\n',
      'b.yaml': 'services:\n  web:\n    depends_on: [a]\n',
    },
  },
  'healthcheck merged, test replaced': both(
    'healthcheck: {test: ["CMD", "a", "b"], interval: 5s, retries: 3}',
    'healthcheck: {test: ["CMD", "c"], retries: 7}',
  ),
  'networks list merged with map': {
    files: {
      'a.yaml': 'services:\n  web:\n    image: i\n    networks: [n]\nnetworks:\n  n:\n  m:\n',
      'b.yaml': 'services:\n  web:\n    networks:\n      n: {aliases: [z]}\n      m:\n',
    },
  },
  'extra hosts merged': both('extra_hosts: ["h:1.2.3.4"]', 'extra_hosts: {h2: 1.1.1.1}'),
  'devices, capabilities, groups': both(
    'devices: ["/dev/a", "/dev/b:/dev/c:r"]\ncap_add: [A, B]\ncap_drop: [ALL]\ngroup_add: [video, 44]\nsecurity_opt: [no-new-privileges:true]',
    'devices:\n  - {source: /dev/z, target: /dev/c, permissions: rw}\ncap_add: [B, C]\ngroup_add: ["render"]\nsecurity_opt: ["label:disable"]',
  ),
  'build merged': both('build: ./ctx', 'build: {args: {A: 1}, dockerfile: D2}'),
  'logging of one driver is merged': both(
    'logging: {driver: json-file, options: {max-size: 10m, max-file: 3}}',
    'logging: {options: {max-file: "5"}}',
  ),
  'logging of another driver replaces': both(
    'logging: {driver: json-file, options: {max-size: 10m}}',
    'logging: {driver: syslog, options: {tag: x}}',
  ),
  'ulimits replaced': both('ulimits: {nofile: {soft: 1, hard: 2}, core: 1}', 'ulimits: {nofile: 5}'),
  '!reset and !override': {
    files: {
      'a.yaml': `services:
  web:
    image: i
    ports: ["80:80"]
    environment: {A: 1, B: 2}
    command: [a]
    volumes: [./a:/a]
    labels: {x: y}
    depends_on: [db]
    deploy: {resources: {limits: {pids: 5}}}
  db: {image: d}
  gone: {image: g}
`,
      'b.yaml': `services:
  web:
    ports: !override ["81:81"]
    environment:
      A: !reset null
    command: !reset []
    volumes: !reset
    labels: !override {z: w}
    depends_on: !reset []
    deploy: !reset {}
  gone: !reset {}
`,
    },
  },
  'a volume whose definition an external one replaces': {
    files: {
      'a.yaml':
        'services:\n  web: {image: i, volumes: ["vv:/v"]}\nvolumes:\n  vv: {name: n, driver: local, driver_opts: {type: none, o: bind, device: /d}}\n',
      'b.yaml': 'services: {}\nvolumes:\n  vv: !override {name: n, external: true}\n',
      'c.yaml': 'volumes:\n  vv: {external: true}\n',
    },
  },
  'three files, scalars replaced, null keeps': {
    files: {
      'a.yaml': 'name: first\nservices:\n  web: {image: a, hostname: h, user: u}\n',
      'b.yaml': 'services:\n  web: {image: b}\n  more: {image: m}\n',
      'c.yaml': 'name: Third_Name!\nservices:\n  web: {user: w}\n',
    },
  },
};
