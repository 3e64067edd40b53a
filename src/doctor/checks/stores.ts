import prettyBytes from 'pretty-bytes';
import { shellWord } from '../../shell-word.ts';
import type { Examined, HostStore, StoreExamined } from '../examined.ts';
import type { Finding } from '../finding.ts';
import { count, daysBetween, few } from '../words.ts';

/** Ollama's store: what of it does not fit together, and stores that lie elsewhere on this machine. */
export function checkStores({ store, hostStores = [], now }: Examined): Finding[] {
  return [
    ...(store ? [...broken(store), ...leftLying(store, now)] : []),
    ...hostStores.flatMap((each) => onHost(each) ?? []),
  ];
}

function broken({ place, unreadable, incomplete }: StoreExamined): Finding[] {
  const named = (models: StoreExamined['unreadable']) =>
    few(models.map(({ model, why }) => `${model} (${why})`));
  const found: Finding[] = [];
  if (unreadable.length > 0) {
    found.push({
      check: 'manifest-unreadable',
      level: 'problem',
      what: `${count(unreadable.length, 'manifest')} in ${place} can't be read: ${named(unreadable)}`,
      why: 'Ollama does not show such a model, and deletes blobs of it together with other models.',
      command: 'aixcl models verify --repair',
      fixable: false,
    });
  }
  if (incomplete.length > 0) {
    found.push({
      check: 'blob-missing',
      level: 'problem',
      what: `${count(incomplete.length, 'model')} in ${place} lack${incomplete.length === 1 ? 's' : ''} bytes: ${named(incomplete)}`,
      why: 'Such a model does not load, or answers nonsense.',
      command: 'aixcl models verify --repair',
      fixable: false,
    });
  }
  return found;
}

function leftLying({ place, orphans, partials, unreadable }: StoreExamined, now: Date): Finding[] {
  const found: Finding[] = [];
  if (orphans && orphans.files > 0) {
    found.push({
      check: 'blob-orphaned',
      level: 'note',
      what: `${count(orphans.files, 'blob')} in ${place} (${prettyBytes(orphans.bytes)}) belong${orphans.files === 1 ? 's' : ''} to no model`,
      why:
        unreadable.length > 0
          ? "They may be those of a manifest that can't be read: mend that first."
          : 'They take room. They may also be all that is left of a model whose manifest is gone: look before you delete them.',
      command: null,
      fixable: false,
    });
  }
  if (partials && partials.files > 0) {
    const days = daysBetween(partials.newest, now);
    const age = days < 1 ? 'less than a day' : count(days, 'day');
    found.push({
      check: 'download-partial',
      level: 'note',
      what: `${count(partials.files, 'file')} of unfinished downloads in ${place} (${prettyBytes(partials.bytes)}), the newest ${age} old`,
      why: 'They take room until the same model is added again: that goes on where it stopped.',
      command: 'aixcl models add NAME',
      fixable: false,
    });
  }
  return found;
}

function onHost({ path, models, bytes, here }: HostStore): Finding | undefined {
  if (models === 0 || (models !== null && models === here)) return undefined;
  const missing = models === null ? null : models - (here ?? 0);
  const number = missing === null ? 'models' : count(missing, 'model');
  const size = bytes === null ? '' : ` (${prettyBytes(bytes)})`;
  return {
    check: 'store-on-host',
    level: 'note',
    what: `an Ollama of this machine itself keeps ${number}${size} that ${missing === 1 ? 'is' : 'are'} not here, in ${path}`,
    why: 'The Ollama of this stack does not see what is there, and no backup here holds it.',
    command: `aixcl doctor --move ${shellWord(path)}`,
    fixable: false,
  };
}
