import type { Noun } from '../command.ts';

const path = { type: 'string', requiresArg: true } as const;

/** The word is no `<version>`: yargs has an option of that name, and would put `true` into it. */
export const versionsCommand: Noun = {
  name: 'versions',
  describe: 'Numbered snapshots of models and adapters, with what they were trained on',
  verbs: [
    {
      name: 'list [model]',
      describe: 'Every version, or those of one model or folder',
      run: async (context, argv) => (await import('./versions/list.ts')).list(context, argv),
    },
    {
      name: 'create <subject>',
      describe: 'Keep a model, an adapter directory or a GGUF file as its next version',
      options: {
        description: {
          type: 'string',
          requiresArg: true,
          demandOption: true,
          describe: 'What it is, for people',
        },
        'training-data': {
          type: 'string',
          array: true,
          describe: 'Files and folders it was trained on: recorded by size and sha256, not kept',
        },
        metrics: { ...path, describe: 'JSON file with what was measured' },
        evolution: {
          ...path,
          describe: 'Folder with the JSON or JSONL snapshots of the run, kept as they are',
        },
        base: { type: 'string', requiresArg: true, describe: 'Model that it was trained on' },
        runtime: {
          choices: ['ollama', 'llama-server'],
          describe: 'Whose model, where both have the name',
        },
      },
      examples: [
        ['$0 versions create tea.gguf --description "first try"', 'tea.gguf@v001'],
        [
          '$0 versions create ./adapters/tea --description "rank 16" --evolution ./runs/7 --training-data ./data',
          'an adapter directory, with how it came about',
        ],
      ],
      run: async (context, argv) => (await import('./versions/create.ts')).create(context, argv),
    },
    {
      name: 'show <model-version>',
      describe: 'All that is known of a version, and each metric of its run as a chart',
      examples: [
        ['$0 versions show tea.gguf@v003', 'this one'],
        ['$0 versions show tea.gguf@latest', 'the newest that there is'],
      ],
      run: async (context, argv) => (await import('./versions/show.ts')).show(context, argv),
    },
    {
      name: 'restore <model-version>',
      describe: 'Put a version back where it lived; what stands there is saved first',
      options: {
        to: { ...path, describe: 'Folder to put all of it into, evolution and metadata too' },
        as: { type: 'string', requiresArg: true, describe: 'Name that the model gets' },
      },
      examples: [
        ['$0 versions restore tea.gguf@v001', 'where it lived; asks when something else stands there'],
        ['$0 versions restore tea.gguf@v001 --as tea-v1.gguf', 'beside what stands there'],
      ],
      run: async (context, argv) => (await import('./versions/restore.ts')).restore(context, argv),
    },
    {
      name: 'delete <model-version>',
      describe: 'Take a version out of the list; it is kept as a backup, and its number is never used again',
      run: async (context, argv) => (await import('./versions/delete.ts')).remove(context, argv),
    },
    {
      name: 'diff <model-version> <other>',
      describe: 'What differs between two versions: metadata, files, tensors, sizes',
      run: async (context, argv) => (await import('./versions/diff.ts')).diff(context, argv),
    },
  ],
};
