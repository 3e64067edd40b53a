import { join } from 'node:path';
import type { Arguments } from 'yargs';
import { scan } from '../../../adapters/models-directory/scan.ts';
import { manifestsFolder } from '../../../adapters/ollama/store/layout.ts';
import { manifestPaths } from '../../../adapters/ollama/store/manifest-paths.ts';
import { AixclError } from '../../../errors.ts';
import { quoted } from '../../../models/model-name.ts';
import { nameFromPath, shownName } from '../../../models/ollama/name.ts';
import type { Snapshot } from '../../../vault/snapshot.ts';
import { vaultOf } from '../../../wiring/vault.ts';
import type { Context } from '../../context.ts';
import { nouns } from '../../nouns.ts';
import { candidates, type NameKind } from './candidates.ts';
import { scripts } from './scripts.ts';

/** `completion bash|zsh|fish`; and `completion words -- WORDS…`, which is what they ask. */
export async function completion(context: Context, argv: Arguments): Promise<void> {
  const shell = String(argv.shell);
  if (shell === 'words') return answer(context, [argv['--'] ?? []].flat().map(String));
  const script = scripts[shell];
  if (script === undefined) {
    throw new AixclError('usage', `${quoted(shell)} is no shell that aixcl completes for`, {
      hint: 'aixcl completion bash|zsh|fish',
    });
  }
  context.out.line(script.trimEnd());
}

async function answer(context: Context, typed: readonly string[]): Promise<void> {
  const { words, names, files } = candidates(nouns, typed);
  const looked = await Promise.all(names.map((kind) => namesOf(context, kind)));
  const current = typed.at(-1) ?? '';
  const fitting = [...words, ...looked.flat()].filter((word) => word.startsWith(current));
  for (const word of [...new Set(fitting)]) context.out.line(word);
  if (files) context.out.line(':files');
}

/** Nobody wants an error in the middle of a line: what can't be looked up is left out. */
async function namesOf(context: Context, kind: NameKind): Promise<string[]> {
  try {
    return await lookUp[kind](context);
  } catch {
    return [];
  }
}

async function idsOf(context: Context, wanted: Snapshot['kind']): Promise<string[]> {
  const { snapshots } = await vaultOf(context).contents();
  return snapshots.filter(({ kind }) => kind === wanted).map(({ id }) => id);
}

const lookUp: Readonly<Record<NameKind, (context: Context) => Promise<string[]>>> = {
  async models({ home }) {
    const [{ found }, manifests] = await Promise.all([
      scan(home.models),
      manifestPaths(join(home.ollama, 'models', manifestsFolder)),
    ]);
    const ollama = manifests.flatMap((path) => nameFromPath(path) ?? []).map(shownName);
    return [...found.map(({ name }) => name), ...ollama];
  },
  services: async (context) => [...(await context.definition()).services.keys()],
  backups: async (context) => idsOf(context, 'backup'),
  versions: async (context) => idsOf(context, 'version'),
};
