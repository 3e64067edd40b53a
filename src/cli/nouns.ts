import type { Noun } from './command.ts';
import { backupsCommand } from './commands/backups.ts';
import { completionCommand } from './commands/completion.ts';
import { consolidateCommand } from './commands/consolidate.ts';
import { doctorCommand } from './commands/doctor.ts';
import { journalCommand } from './commands/journal.ts';
import { modelsCommand } from './commands/models.ts';
import { quickstartCommand } from './commands/quickstart.ts';
import { serviceCommand } from './commands/service.ts';
import { stackCommand } from './commands/stack.ts';
import { uiCommand } from './commands/ui.ts';
import { undoCommand } from './commands/undo.ts';
import { vaultCommand } from './commands/vault.ts';
import { versionsCommand } from './commands/versions.ts';

/** Every noun of the command line, in the order of its help. */
export const nouns: readonly Noun[] = [
  stackCommand,
  serviceCommand,
  modelsCommand,
  undoCommand,
  versionsCommand,
  consolidateCommand,
  backupsCommand,
  vaultCommand,
  doctorCommand,
  journalCommand,
  quickstartCommand,
  uiCommand,
  completionCommand,
];
