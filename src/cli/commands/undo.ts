import type { Noun } from '../command.ts';

export const undoCommand: Noun = {
  name: 'undo',
  describe: 'Take back the last remove, update or overwrite of a model',
  verbs: [
    {
      name: '$0',
      describe: 'Take back the last remove, update or overwrite of a model; what stands there is saved first',
      run: async (context, argv) => (await import('./undo/run.ts')).undo(context, argv),
    },
  ],
};
