import type { Noun } from '../command.ts';

export const doctorCommand: Noun = {
  name: 'doctor',
  describe: 'Look for what endangers models or does not work; exit 9 when there is something',
  verbs: [
    {
      name: '$0',
      describe:
        'Look at engine, volumes, disks, rights, models, backups and leftovers; each finding says why it matters and what to type',
      options: {
        fix: {
          type: 'boolean',
          default: false,
          describe: 'Do what is safe: hold volumes, take away what killed commands left, give names back',
        },
        move: {
          type: 'string',
          requiresArg: true,
          describe:
            "Bring the models of another Ollama's volume or folder into this home; nothing is taken away there",
        },
      },
      examples: [
        ['$0 doctor --fix --dry-run', 'what --fix would do'],
        ['$0 doctor --move services_ollama', 'the models of this volume, copied and hashed'],
        ['$0 doctor --move ~/.ollama', 'those of an Ollama outside the engine'],
      ],
      run: async (context, argv) => (await import('./doctor/run.ts')).doctor(context, argv),
    },
  ],
};
