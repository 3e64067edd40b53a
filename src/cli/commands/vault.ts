import type { Noun } from '../command.ts';

export const vaultCommand: Noun = {
  name: 'vault',
  describe: 'Where snapshots lie: check it, move snapshots to another, keep a second one',
  verbs: [
    {
      name: 'status',
      describe: 'What the vault holds, what it takes on the disk, when it was last checked',
      run: async (context) => (await import('./vault/status.ts')).status(context),
    },
    {
      name: 'verify',
      describe: 'Re-hash every blob, name each damaged snapshot; exit 7 when there is one',
      options: {
        repair: {
          type: 'boolean',
          default: false,
          describe: 'Set damaged blobs aside, and take them anew from a model that has the right bytes',
        },
      },
      run: async (context, argv) => (await import('./vault/verify.ts')).verify(context, argv),
    },
    {
      name: 'gc',
      describe: 'Delete blobs that no snapshot names (killed commands leave them); asks first',
      options: {
        grace: {
          type: 'string',
          default: '1h',
          requiresArg: true,
          describe: 'Younger ones stay (30m, 1h, 7d)',
        },
      },
      run: async (context, argv) => (await import('./vault/gc.ts')).gc(context, argv),
    },
    {
      name: 'export <file> <snapshots..>',
      describe: 'Write snapshots into one file, a tar that sha256sum and skopeo can check',
      examples: [
        ['$0 vault export /media/usb/tea.tar tea.gguf', 'its newest snapshot'],
        ['$0 vault export two.tar b0003 b0007', 'these two, with the blobs they share once'],
      ],
      run: async (context, argv) => (await import('./vault/export.ts')).exportTo(context, argv),
    },
    {
      name: 'import <file>',
      describe: 'Take in the snapshots of a file that vault export wrote, once all of it was checked',
      examples: [['$0 vault import /media/usb/tea.tar', 'then: aixcl backups restore ID']],
      run: async (context, argv) => (await import('./vault/import.ts')).importFrom(context, argv),
    },
    {
      name: 'sync <folder>',
      describe:
        'Bring a second vault up to date, on another disk or a mounted share; copies are hashed there',
      options: {
        verify: { type: 'boolean', default: false, describe: 'Re-hash also what it has already' },
        new: { type: 'boolean', default: false, describe: 'Begin anew where an earlier one is gone' },
      },
      examples: [['$0 vault sync /mnt/nas/aixcl-vault', 'snapshots then show that they lie there too']],
      run: async (context, argv) => (await import('./vault/sync.ts')).sync(context, argv),
    },
  ],
};
