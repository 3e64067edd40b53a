import type { Arguments } from 'yargs';
import { AixclError } from '../../../errors.ts';
import { shownSubject } from '../../../models/find-kept.ts';
import { lostModels } from '../../../models/lost-runtimes.ts';
import { originOfSnapshot } from '../../../models/sources.ts';
import { checkSnapshot, type HashedBlobs } from '../../../vault/check-snapshot.ts';
import {
  type CleanupFacts,
  type CleanupStep,
  lastGoodCopies,
  obstacleToCleanup,
  planCleanup,
  sameContent,
} from '../../../vault/retention.ts';
import type { Subject } from '../../../vault/subject.ts';
import type { Vault, VaultWriter } from '../../../vault/vault.ts';
import { journalOf } from '../../../wiring/journal.ts';
import { keepersOf } from '../../../wiring/keepers.ts';
import { withOperation } from '../../../wiring/operation.ts';
import { sourcesOf } from '../../../wiring/sources.ts';
import { vaultOf } from '../../../wiring/vault.ts';
import { working } from '../../../wiring/working.ts';
import type { Context } from '../../context.ts';
import { bytes } from '../../output/quantity.ts';

const command = 'backups cleanup';
const sourceDeadlineMs = 10_000;

/** `backups cleanup`: shows what is old and not needed; with `--execute` deletes it. */
export async function cleanup(context: Context, argv: Arguments): Promise<void> {
  const retentionDays = daysOf(argv.retentionDays);
  const facts = await observe(context, vaultOf(context), retentionDays);
  refuseWhere(facts);
  const plan = planCleanup(facts);
  if (argv.execute !== true || context.flags.dryRun)
    return report(context, plan, 'planned', undefined, executing(argv));
  const going = plan.filter(({ kind }) => kind === 'delete');
  if (going.length === 0) return report(context, plan, 'done', 0);
  const targets = going.map(({ snapshot }) => snapshot.id);
  const freed = await withOperation(context, { command, targets }, async ({ operation, vault, writer }) => {
    const { answered, lost } = facts;
    // The journal's newest entry is this operation's own by now.
    const { newestEntry } = facts;
    const contents = await vault.contents();
    const again = { ...contents, now: new Date(), retentionDays, answered, lost, newestEntry };
    refuseWhere(again);
    const still = planCleanup(again).filter(({ kind }) => kind === 'delete');
    assertSame(targets, still);
    await proveSurvivors(context, still, writer);
    for (const { snapshot, because } of still) await operation.step('delete', snapshot.id, because);
    const { freed: bytesFreed } = await writer.remove(targets, again.now);
    return bytesFreed;
  });
  report(context, plan, 'done', freed);
}

/** What others go for is hashed first: that it was right once does not tell that it is. Throws `verification`, and notes what was found. */
async function proveSurvivors(
  context: Context,
  going: readonly CleanupStep[],
  writer: VaultWriter,
): Promise<void> {
  const hashed: HashedBlobs = new Map();
  for (const step of going) {
    if (step.kind !== 'delete' || !step.survivor) continue;
    const { survivor, snapshot } = step;
    const wrong = await working(context, `Hashing ${survivor.id}`, survivor.size, (options) =>
      checkSnapshot(survivor, writer, { ...options, now: new Date(), hashed }),
    );
    if (wrong === null) continue;
    throw new AixclError(
      'verification',
      `nothing is deleted: ${survivor.id}, for which ${snapshot.id} was to go, is damaged: ${wrong}`,
      { hint: 'aixcl vault verify --repair' },
    );
  }
}

async function observe(context: Context, vault: Vault, retentionDays: number): Promise<CleanupFacts> {
  const now = new Date();
  const { snapshots, broken } = await vault.contents();
  const { entries } = await journalOf(context).read();
  const newest = entries.reduce((latest, { time }) => (time > latest ? time : latest), '');
  const given = { snapshots, broken, now, retentionDays, newestEntry: newest ? new Date(newest) : null };
  const last = lastGoodCopies(given);
  const states = await sourcesOf(context, last.map(originOfSnapshot), sourceDeadlineMs);
  const again = last.filter((_, index) => states[index] === 're-pullable');
  // What answered for one answers for all of the same content.
  const answered = new Set(
    snapshots.filter((each) => again.some((one) => sameContent(one, each))).map(({ id }) => id),
  );
  return { ...given, answered, lost: await lostRuntimes(context, snapshots) };
}

async function lostRuntimes(
  context: Context,
  snapshots: CleanupFacts['snapshots'],
): Promise<Subject['runtime'][]> {
  const lost: Subject['runtime'][] = [];
  for (const keeper of await keepersOf(context)) {
    if (lostModels(snapshots, keeper.runtime).length === 0) continue;
    if ((await keeper.list()).length === 0) lost.push(keeper.runtime);
  }
  return lost;
}

function refuseWhere(facts: CleanupFacts): void {
  const obstacle = obstacleToCleanup(facts);
  if (obstacle)
    throw new AixclError('refused', `nothing is deleted: ${obstacle}`, { hint: 'aixcl vault verify' });
}

function assertSame(targets: readonly string[], still: readonly CleanupStep[]): void {
  const now = new Set(still.map(({ snapshot }) => snapshot.id));
  if (now.size === targets.length && targets.every((id) => now.has(id))) return;
  throw new AixclError('refused', 'the vault changed meanwhile, so nothing was deleted', {
    hint: 'Run the command again.',
  });
}

function report(
  context: Context,
  plan: readonly CleanupStep[],
  outcome: 'planned' | 'done',
  freed: number | undefined,
  toExecute = '',
): void {
  const steps = plan.map(({ kind, snapshot, because }) => ({
    kind,
    target: snapshot.id,
    outcome: kind === 'keep' ? ('kept' as const) : outcome,
    because,
    model: snapshot.subject.name,
    size: snapshot.size,
  }));
  const going = plan.filter(({ kind }) => kind === 'delete');
  const lines = plan.map(({ kind, snapshot, because }) => {
    const verb = kind === 'keep' ? 'keep' : outcome === 'done' ? 'deleted' : 'would delete';
    return `${verb} ${snapshot.id} ${shownSubject(snapshot.subject)} (${bytes(snapshot.size)}): ${because}`;
  });
  if (plan.length === 0) lines.push('there are no backups');
  if (going.length > 0) {
    lines.push(outcome === 'done' ? `${bytes(freed ?? 0)} were freed` : `to delete these: ${toExecute}`);
  }
  const changed = outcome === 'done' && going.length > 0;
  const result = { command, changed, steps, ...(freed !== undefined && { freed }) };
  context.out.result(result, lines.join('\n'));
}

/** The command that carries out what was shown. */
function executing({ retentionDays }: Arguments): string {
  const days = retentionDays === undefined ? '' : ` --retention-days ${daysOf(retentionDays)}`;
  return `aixcl ${command}${days} --execute`;
}

function daysOf(value: unknown): number {
  const days = value === undefined ? 30 : Number(value);
  if (Number.isFinite(days) && days >= 0) return days;
  throw new AixclError('usage', '--retention-days takes a number of days', {
    hint: `aixcl ${command} --help`,
  });
}
