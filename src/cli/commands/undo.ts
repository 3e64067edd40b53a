import type { Noun } from '../command.ts';

export const undoCommand: Noun = {
  name: 'undo',
  describe: 'Take back the last remove, update or overwrite of a model',
  verbs: [
    {
      name: '$0',
      describe: 'Take back the last remove, update or overwrite of a model; what stands there is saved first',
      examples: [
        ['$0 undo --dry-run', 'what would come back, and from which backup'],
        ['$0 undo', 'again: one further back, or, after an overwrite, to and fro'],
      ],
      run: async (context, argv) => (await import('./undo/run.ts')).undo(context, argv),
    },
  ],
};
