import type { Noun } from '../command.ts';
import { gpuOption } from './stack.ts';

export const quickstartCommand: Noun = {
  name: 'quickstart',
  describe: 'From nothing to an answer: engine, images, stack, a model',
  verbs: [
    {
      name: '$0',
      describe: 'From nothing to an answer: engine, images, stack, a model',
      options: { gpu: gpuOption },
      run: async (context) => (await import('./quickstart/run.ts')).quickstart(context),
    },
  ],
};
