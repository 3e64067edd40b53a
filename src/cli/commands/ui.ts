import type { Noun } from '../command.ts';

export const uiCommand: Noun = {
  name: 'ui',
  describe: "The upload page's address",
  verbs: [
    {
      name: '$0',
      describe: "Print the upload page's address with a fresh token, good once and for an hour",
      examples: [['xdg-open "$($0 ui)"', 'open it in the browser']],
      run: async (context) => (await import('./ui/run.ts')).ui(context),
    },
  ],
};
