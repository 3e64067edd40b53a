import type { Arguments } from 'yargs';
import type { Noun } from '../command.ts';
import { logsOptions, restartOptions, startOptions, statusOptions, stopOptions } from './stack.ts';

/** The stack's commands for one service. */
export const serviceCommand: Noun = {
  name: 'service',
  describe: 'One service',
  verbs: [
    {
      name: 'start <name>',
      describe: 'Bring it up, with those that it depends on',
      options: startOptions,
      run: async (context, argv) => (await import('./stack/start.ts')).start(context, one(argv)),
    },
    {
      name: 'stop <name>',
      describe: 'Stop it; nothing is removed',
      options: stopOptions,
      run: async (context, argv) => (await import('./stack/stop.ts')).stop(context, one(argv)),
    },
    {
      name: 'restart <name>',
      describe: 'Stop and start it; gives it its own name back after an interrupted recreate',
      options: restartOptions,
      run: async (context, argv) => (await import('./stack/restart.ts')).restart(context, one(argv)),
    },
    {
      name: 'status <name>',
      describe: 'Its container, health and ports',
      options: statusOptions,
      run: async (context, argv) => (await import('./stack/status.ts')).status(context, one(argv)),
    },
    {
      name: 'logs <name>',
      describe: 'What it prints',
      options: logsOptions,
      run: async (context, argv) => (await import('./stack/logs.ts')).logs(context, one(argv)),
    },
  ],
};

function one(argv: Arguments): Arguments {
  return { ...argv, services: [argv.name] };
}
