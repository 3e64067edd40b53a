import type { Noun } from '../command.ts';

export const journalCommand: Noun = {
  name: 'journal',
  describe: 'What was changed, when, by which command',
  verbs: [
    {
      name: '$0 [operation]',
      describe: 'What was changed, when, by which command; of one operation, each step',
      options: {
        follow: { alias: 'f', type: 'boolean', default: false, describe: 'Line by line, with what comes' },
        tail: {
          alias: 'n',
          type: 'string',
          requiresArg: true,
          describe: 'Operations from the end, or lines with --follow; or all',
          defaultDescription: '20 in a table, 10 lines, all in JSON',
        },
        since: { type: 'string', requiresArg: true, describe: 'From a time, or a duration back (2h)' },
      },
      examples: [
        ['$0 journal --since 1d', 'the commands of a day, and the last one that was interrupted'],
        ['$0 journal 1f3a9c', 'each step of one of them'],
        ['$0 journal --follow', 'see what another command does'],
      ],
      run: async (context, argv) => (await import('./journal/run.ts')).journal(context, argv),
    },
  ],
};
