import type { Noun } from '../command.ts';

const runtime = {
  type: 'string',
  requiresArg: true,
  choices: ['ollama', 'llama-server'],
  describe: 'The models of one runtime alone',
} as const;

const offline = {
  type: 'boolean',
  default: false,
  describe: 'Ask nobody whether a model can be had again',
} as const;

export const modelsCommand: Noun = {
  name: 'models',
  describe: 'The models on this machine',
  verbs: [
    {
      name: 'list',
      describe: 'Every model, whether or not anything runs',
      short: ['ls'],
      options: { runtime, offline },
      run: async (context, argv) => (await import('./models/list.ts')).list(context, argv),
    },
    {
      name: 'add <source..>',
      describe: "Bring models in: Ollama's names, .gguf files, folders of them, or addresses",
      short: ['pull'],
      options: {
        as: { type: 'string', requiresArg: true, describe: 'Name that it gets' },
        sha256: {
          type: 'string',
          requiresArg: true,
          describe: 'What its bytes must hash to (64 hex digits)',
        },
        runtime: {
          ...runtime,
          describe: 'Which runtime is to have a model of the Hub: ollama, unless it is said',
        },
        insecure: {
          type: 'boolean',
          default: false,
          describe: 'Let Ollama pull by plain http, whatever the host',
        },
      },
      examples: [
        ['$0 models add llama3.2:1b', 'pulled by Ollama, then re-hashed'],
        ['$0 models add --runtime llama-server hf.co/USER/REPO:Q4_K_M', 'all its files, checked by sha256'],
        ['$0 models add ~/Downloads/qwen3-4b-q4_k_m.gguf', 'a copy of a file; the file itself stays'],
        ['$0 models add https://HOST/PATH/MODEL.gguf', 'goes on where an earlier run was cut'],
        ['$0 models add big-00001-of-00003.gguf --as big', 'all three shards, as one folder'],
      ],
      run: async (context, argv) => (await import('./models/add.ts')).add(context, argv),
    },
    {
      name: 'show <name>',
      describe: 'What a model is: architecture, size, template, licence, files, backups',
      options: { runtime, offline },
      run: async (context, argv) => (await import('./models/show.ts')).show(context, argv),
    },
    {
      name: 'activate <name>',
      describe: 'Make it the one that llama-server serves; goes back when it does not come up',
      run: async (context, argv) => (await import('./models/activate.ts')).activate(context, argv),
    },
    {
      name: 'set <name>',
      passesOn: true,
      describe: "llama-server's arguments for a model, kept with it; without any: shows them",
      options: {
        'ctx-size': { type: 'number', requiresArg: true, describe: 'Tokens of context' },
        'gpu-layers': { type: 'number', requiresArg: true, describe: 'Layers on the GPU' },
        mmproj: { type: 'string', requiresArg: true, describe: 'Its image or audio encoder, by file name' },
        embedding: { type: 'boolean', describe: 'Serve embeddings (--no-embedding: do not)' },
        clear: { type: 'boolean', default: false, describe: 'Forget those that were set before' },
      },
      examples: [['$0 models set qwen.gguf --ctx-size 8192 -- --threads 4', 'what follows -- is passed on']],
      run: async (context, argv) => (await import('./models/set.ts')).set(context, argv),
    },
    {
      name: 'verify [name..]',
      describe: 'Re-hash models, all without a name; exit 7 while one is damaged',
      options: {
        repair: {
          type: 'boolean',
          default: false,
          describe: 'Put right bytes in the place of damaged ones, from the vault or else from the source',
        },
        runtime,
      },
      examples: [['$0 models verify --repair', 'damaged files are kept in the vault, under quarantine/']],
      run: async (context, argv) => (await import('./models/verify.ts')).verify(context, argv),
    },
    {
      name: 'remove <name..>',
      describe: 'Take models away; all their bytes go into the vault first, and undo brings them back',
      short: ['rm'],
      options: {
        force: {
          type: 'boolean',
          default: false,
          describe: 'Also the one that llama-server serves, or is to serve',
        },
        runtime: { ...runtime, describe: 'Whose model, where both have the name' },
      },
      examples: [
        ['$0 models remove tea.gguf llama3.2:1b', 'asks first; undo brings both back'],
        ['$0 rm --dry-run llama3.2:1b', 'what would go, what other models keep, how it is saved'],
      ],
      run: async (context, argv) => (await import('./models/remove.ts')).remove(context, argv),
    },
  ],
};
