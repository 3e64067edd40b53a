import type { Options } from 'yargs';
import type { Noun } from '../command.ts';

const waiting: Record<string, Options> = {
  wait: { type: 'boolean', default: true, describe: 'Wait until healthy (--no-wait: do not)' },
  'wait-timeout': { type: 'number', default: 300, requiresArg: true, describe: 'Seconds to wait' },
};

export const gpuOption: Options = {
  choices: ['auto', 'none', 'nvidia', 'amd'] as const,
  describe: 'GPU that the services get; remembered',
  defaultDescription: 'auto',
};

export const startOptions: Record<string, Options> = {
  ...waiting,
  pull: {
    choices: ['always', 'missing', 'never'] as const,
    default: 'missing',
    describe: 'When to pull images',
  },
  build: { type: 'boolean', default: false, describe: 'Build images that the definition builds' },
  adopt: {
    type: 'boolean',
    default: false,
    describe: 'Take over containers of our names that someone started by hand, keeping their volumes',
  },
  gpu: gpuOption,
  // What fingers type after `docker compose up`: it never stays in the foreground here.
  detach: { alias: 'd', type: 'boolean', hidden: true },
};

export const stopOptions: Record<string, Options> = {
  timeout: {
    alias: 't',
    type: 'number',
    requiresArg: true,
    describe: 'Seconds before a container is killed',
  },
};

export const restartOptions: Record<string, Options> = { ...waiting, ...stopOptions };

export const statusOptions: Record<string, Options> = {
  watch: { type: 'boolean', default: false, describe: 'Show it again whenever it changed' },
  // As after `docker ps`: stopped ones are shown in any case.
  all: { alias: 'a', type: 'boolean', hidden: true },
  check: { type: 'boolean', default: false, describe: 'Exit with 6 when a service is not healthy' },
};

export const logsOptions: Record<string, Options> = {
  follow: { alias: 'f', type: 'boolean', default: false, describe: 'Go on with what comes' },
  tail: {
    alias: 'n',
    type: 'string',
    requiresArg: true,
    describe: 'Lines from the end',
    defaultDescription: 'all',
  },
  since: { type: 'string', requiresArg: true, describe: 'From a time, or a duration back (10m)' },
  timestamps: { alias: 't', type: 'boolean', default: false, describe: 'With the time of each line' },
};

const cleanOptions: Record<string, Options> = {
  volumes: {
    type: 'string',
    array: true,
    requiresArg: true,
    describe: 'Volumes to take away too, once all in them is saved and their names were given back',
  },
  confirm: {
    type: 'string',
    array: true,
    requiresArg: true,
    describe: 'Names of the volumes, where nobody can be asked to type them',
  },
  ...stopOptions,
};

export const stackCommand: Noun = {
  name: 'stack',
  describe: 'The services together',
  verbs: [
    {
      name: 'start [services..]',
      describe: 'Bring the stack up, and wait until it is healthy',
      short: ['up'],
      options: startOptions,
      examples: [
        ['$0 stack start', 'everything, with what it needs'],
        ['$0 stack start --dry-run', 'what would be done, and why'],
      ],
      run: async (context, argv) => (await import('./stack/start.ts')).start(context, argv),
    },
    {
      name: 'stop [services..]',
      describe: 'Stop it; nothing is removed',
      short: ['down'],
      options: stopOptions,
      run: async (context, argv) => (await import('./stack/stop.ts')).stop(context, argv),
    },
    {
      name: 'restart [services..]',
      describe: 'Stop and start, active model and volumes kept',
      options: restartOptions,
      run: async (context, argv) => (await import('./stack/restart.ts')).restart(context, argv),
    },
    {
      name: 'status [services..]',
      describe: 'Services, health, ports, the active model, volumes and what holds them',
      short: ['ps', 'status'],
      options: statusOptions,
      run: async (context, argv) => (await import('./stack/status.ts')).status(context, argv),
    },
    {
      name: 'clean',
      describe: 'Remove containers, networks, dangling images and disposable volumes of the stack',
      options: cleanOptions,
      examples: [
        ['$0 stack clean --dry-run', 'what would go, what stays, and why'],
        ['$0 stack clean --volumes ollama', 'also this volume: all in it is saved first'],
      ],
      run: async (context, argv) => (await import('./stack/clean.ts')).clean(context, argv),
    },
    {
      name: 'logs [services..]',
      describe: 'What the services print',
      short: ['logs'],
      options: logsOptions,
      run: async (context, argv) => (await import('./stack/logs.ts')).logs(context, argv),
    },
  ],
};
