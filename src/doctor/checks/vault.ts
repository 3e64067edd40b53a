import prettyBytes from 'pretty-bytes';
import type { Examined, VaultExamined } from '../examined.ts';
import type { Finding } from '../finding.ts';
import { count, daysBetween, few } from '../words.ts';

/** Bytes rot unseen: what nobody hashed for so many days may be damaged by now. */
const longAgo = 30;

/** The vault: records and blobs that are damaged, what was set aside, what was never looked at again. */
export function checkVault({ vault, now }: Examined): Finding[] {
  if (!vault) return [];
  return [...damage(vault), ...verification(vault, now), ...lyingThere(vault)];
}

function damage({ path, broken, damaged, damagedWhenSaved }: VaultExamined): Finding[] {
  const found: Finding[] = [];
  if (broken.length > 0) {
    found.push({
      check: 'vault-record-broken',
      level: 'problem',
      what: `${count(broken.length, 'record')} of the vault ${path} can't be read: ${few(broken.map(({ name, why }) => `${name} (${why})`))}`,
      why: 'What it stands for can not be restored, and nothing is deleted from the vault meanwhile.',
      command: 'aixcl vault verify',
      fixable: false,
    });
  }
  if (damaged.length > 0) {
    found.push({
      check: 'snapshot-damaged',
      level: 'problem',
      what: `${count(damaged.length, 'snapshot')} of the vault ${damaged.length === 1 ? 'is' : 'are'} damaged: ${few(damaged.map(({ id, name }) => `${id} (${name})`))}`,
      why: 'It does not bring its model back, and counts as no backup.',
      command: 'aixcl vault verify --repair',
      fixable: false,
    });
  }
  if (damagedWhenSaved.length > 0) {
    found.push({
      check: 'snapshot-of-damaged',
      level: 'note',
      what: `${count(damagedWhenSaved.length, 'snapshot')} of the vault ${damagedWhenSaved.length === 1 ? 'holds a model that was' : 'hold models that were'} damaged when ${damagedWhenSaved.length === 1 ? 'it was' : 'they were'} saved: ${few(damagedWhenSaved.map(({ id, name }) => `${id} (${name})`))}`,
      why: 'The vault has the bytes as they were, so it has nothing to repair, and counts it as no backup. aixcl backups restore ID --to DIR gets them; aixcl backups delete ID frees their space.',
      command: 'aixcl backups list',
      fixable: false,
    });
  }
  return found;
}

function verification(
  { snapshots, unverified, oldestVerification, damaged, damagedWhenSaved }: VaultExamined,
  now: Date,
): Finding[] {
  const days = oldestVerification && daysBetween(oldestVerification, now);
  const late = days !== null && days >= longAgo;
  const never = unverified - damaged.length - damagedWhenSaved.length;
  if (snapshots === 0 || (never <= 0 && !late)) return [];
  const what =
    never > 0
      ? `${never} of ${count(snapshots, 'snapshot')} ${never === 1 ? 'was' : 'were'} never hashed as a whole`
      : `the vault was last verified ${days} days ago`;
  return [
    {
      check: 'vault-unverified',
      level: 'note',
      what,
      why: 'A disk can lose bytes without a word; only hashing them tells.',
      command: 'aixcl vault verify',
      fixable: false,
    },
  ];
}

function lyingThere({ path, quarantine, ingest }: VaultExamined): Finding[] {
  const found: Finding[] = [];
  if (quarantine.files > 0) {
    found.push({
      check: 'bytes-set-aside',
      level: 'note',
      what: `${count(quarantine.files, 'damaged file')} (${prettyBytes(quarantine.bytes)}) set aside in ${path}/quarantine`,
      why: 'No command reads or deletes them. A file beside each says where it came from; delete what you do not want to look into.',
      command: null,
      fixable: false,
    });
  }
  if (ingest.files > 0) {
    found.push({
      check: 'ingest-leftover',
      level: 'note',
      what: `a killed command left ${count(ingest.files, 'unfinished file')} (${prettyBytes(ingest.bytes)}) in ${path}/ingest`,
      why: 'They take room, and nothing names them.',
      command: 'aixcl doctor --fix',
      fixable: true,
    });
  }
  return found;
}
