import type { Options } from 'yargs';
import type { GlobalFlags } from './context.ts';

/** Flags that every command takes. */
export const globalOptions: Readonly<Record<string, Options>> = {
  format: {
    choices: ['table', 'json'] as const,
    default: 'table',
    describe: 'How data is printed',
    global: true,
  },
  yes: { alias: 'y', type: 'boolean', default: false, describe: 'Answer every question with yes' },
  'dry-run': { type: 'boolean', default: false, describe: 'Show what would be done, and do nothing' },
  progress: {
    choices: ['auto', 'tty', 'plain', 'json', 'quiet'] as const,
    default: 'auto',
    describe: 'How progress is shown',
  },
  color: { type: 'boolean', describe: 'Colours (--no-color: none)', defaultDescription: 'on a terminal' },
  host: { alias: 'H', type: 'string', requiresArg: true, describe: 'Address of the Docker engine' },
  context: { alias: 'c', type: 'string', requiresArg: true, describe: 'Docker context to use' },
  file: { type: 'string', array: true, nargs: 1, describe: 'Compose file in place of ours (-f)' },
  'project-name': { alias: 'p', type: 'string', requiresArg: true, describe: 'Compose project' },
  profile: { type: 'string', array: true, nargs: 1, describe: 'Profile to switch on' },
  'env-file': { type: 'string', array: true, nargs: 1, describe: 'Further file of variables' },
  'wait-lock': {
    type: 'number',
    default: 0,
    requiresArg: true,
    describe: 'Seconds to wait for another aixcl that is at work',
  },
  debug: { type: 'boolean', default: false, describe: 'Show where an error comes from' },
};

/** Short spellings that differ by command: `-f` is `--follow` after `logs` and `journal`, else `--file`. */
const fileAlias = { f: 'file' } as const;
const takesValue = new Set([
  '-f',
  '-H',
  '-c',
  '-p',
  '--file',
  '--host',
  '--context',
  '--project-name',
  '--profile',
  '--env-file',
  '--format',
  '--progress',
  '--wait-lock',
]);

/** What people write may begin with a dash. */
const takesText = new Set(['--description', '--reason']);

/**
 * Spells out `-f` where it means `--file`: everywhere before the command's words, and behind those that have nothing to follow; and joins to its
 * option a text that begins with a dash and is no long option.
 */
export function spellOut(argv: readonly string[]): string[] {
  const words: string[] = [];
  const spelled: string[] = [];
  for (let index = 0; index < argv.length; index += 1) {
    const token = argv[index] ?? '';
    if (token === '--') return [...spelled, ...argv.slice(index)];
    const follows = isFollowed(words);
    const glued = follows ? undefined : /^-f=?(.+)$/s.exec(token)?.[1];
    if (glued !== undefined) {
      spelled.push(`--${fileAlias.f}`, glued);
      continue;
    }
    const text = argv[index + 1];
    if (takesText.has(token) && text?.startsWith('-') && !/^--[a-z][a-z-]*(=|$)/.test(text)) {
      spelled.push(`${token}=${text}`);
      index += 1;
      continue;
    }
    spelled.push(token === '-f' && !follows ? `--${fileAlias.f}` : token);
    if (takesValue.has(token) && !(token === '-f' && follows)) {
      index += 1;
      if (index < argv.length) spelled.push(argv[index] ?? '');
    } else if (!token.startsWith('-')) words.push(token);
  }
  return spelled;
}

/** `journal`, `logs`, `stack logs` or `service logs`; a service may have that name too. */
function isFollowed([noun, verb]: readonly string[]): boolean {
  return (
    noun === 'journal' || noun === 'logs' || ((noun === 'stack' || noun === 'service') && verb === 'logs')
  );
}

/** The words of a command: what is neither a flag nor a flag's value, up to `--`. */
export function commandWords(argv: readonly string[]): string[] {
  const words: string[] = [];
  for (let index = 0; index < argv.length; index += 1) {
    const token = argv[index] ?? '';
    if (token === '--') break;
    if (takesValue.has(token)) index += 1;
    else if (!token.startsWith('-')) words.push(token);
  }
  return words;
}

/** The global flags out of what yargs parsed. */
export function globalFlags(argv: Readonly<Record<string, unknown>>): GlobalFlags {
  const list = (value: unknown) => (Array.isArray(value) ? value.map(String) : []);
  // Of an option that is given twice, the last one counts.
  const text = (value: unknown) => {
    const last: unknown = Array.isArray(value) ? value.at(-1) : value;
    return typeof last === 'string' && last !== '' ? last : undefined;
  };
  return {
    format: text(argv.format) === 'json' ? 'json' : 'table',
    yes: argv.yes === true,
    dryRun: argv.dryRun === true,
    debug: argv.debug === true,
    waitLock: typeof argv.waitLock === 'number' ? argv.waitLock : 0,
    progress: text(argv.progress) ?? 'auto',
    color: typeof argv.color === 'boolean' ? argv.color : undefined,
    host: text(argv.host),
    context: text(argv.context),
    files: list(argv.file),
    projectName: text(argv.projectName),
    profiles: list(argv.profile),
    envFiles: list(argv.envFile),
    gpu: text(argv.gpu),
  };
}
