import { backupTypes } from '../../vault/snapshot.ts';
import type { Noun } from '../command.ts';

export const backupsCommand: Noun = {
  name: 'backups',
  describe: 'Snapshots of models and folders, kept in the vault',
  verbs: [
    {
      name: 'create [names..]',
      describe: 'Back up all models, or the models and folders named',
      options: {
        type: { choices: backupTypes, default: 'emergency', describe: 'What it is for' },
        reason: { type: 'string', requiresArg: true, describe: 'Kept with it, for people' },
        verify: { type: 'boolean', default: false, describe: 'Re-hash also what the vault has already' },
        runtime: runtimeOption(),
      },
      examples: [
        ['$0 backups create', 'every model of both runtimes'],
        ['$0 backups create qwen.gguf ./adapters/tea --reason "before the merge"', 'a model and a folder'],
      ],
      run: async (context, argv) => (await import('./backups/create.ts')).create(context, argv),
    },
    {
      name: 'list',
      describe: 'What the vault holds, newest first',
      options: {
        type: { choices: backupTypes, describe: 'Only these' },
        model: { type: 'string', requiresArg: true, describe: 'Only those of this model or folder' },
      },
      run: async (context, argv) => (await import('./backups/list.ts')).list(context, argv),
    },
    {
      name: 'verify [ids..]',
      describe: 'Re-hash every byte of backups, all without an id; exit 7 when one is damaged',
      run: async (context, argv) => (await import('./backups/verify.ts')).verify(context, argv),
    },
    {
      name: 'restore <id>',
      describe: 'Put a backup back where it lived; what stands there is saved first',
      options: {
        to: { type: 'string', requiresArg: true, describe: 'Folder to put its files into' },
        as: { type: 'string', requiresArg: true, describe: 'Name that the model gets' },
      },
      examples: [
        ['$0 backups restore b0012', 'where it lived; asks when something else stands there'],
        ['$0 backups restore b0012 --as tea-before', 'beside what stands there'],
      ],
      run: async (context, argv) => (await import('./backups/restore.ts')).restore(context, argv),
    },
    {
      name: 'delete <ids..>',
      describe: "Delete backups for good, with the model's name given back",
      options: {
        confirm: {
          type: 'string',
          requiresArg: true,
          describe: "The model's name, where nobody can be asked to type it",
        },
      },
      examples: [
        ['$0 backups delete b0012 --confirm llama3.2:1b', 'the name as backups list shows it; --yes is none'],
      ],
      run: async (context, argv) => (await import('./backups/delete.ts')).remove(context, argv),
    },
    {
      name: 'cleanup',
      describe: 'Show which backups are old and not needed; --execute deletes them',
      options: {
        'retention-days': {
          type: 'number',
          default: 30,
          requiresArg: true,
          describe: 'Younger ones stay; what a command saved on its own stays 30 at the least',
        },
        execute: { type: 'boolean', default: false, describe: 'Delete what is shown' },
      },
      run: async (context, argv) => (await import('./backups/cleanup.ts')).cleanup(context, argv),
    },
  ],
};

function runtimeOption() {
  return { choices: ['ollama', 'llama-server'], describe: 'Whose model, where both have the name' } as const;
}
