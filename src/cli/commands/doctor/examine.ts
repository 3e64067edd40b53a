import type { Examined, Unexamined } from '../../../doctor/examined.ts';
import { AixclError, reasonOf, systemCode } from '../../../errors.ts';
import { vaultOnModelsDisk } from '../../../wiring/disks.ts';
import type { Context } from '../../context.ts';
import { Examination } from './examination.ts';
import { lookAtEngine, lookAtHomes } from './look-at-engine.ts';
import { lookAtDisks, lookAtFolders } from './look-at-folders.ts';
import { lookAtLeftovers } from './look-at-leftovers.ts';
import { lookAtImages, lookAtPorts, lookAtServices } from './look-at-stack.ts';
import { lookAtHostStores, lookAtStore } from './look-at-stores.ts';
import { lookAtBackups, lookAtVault } from './look-at-vault.ts';
import { lookAtOtherVolumes, lookAtVolumes } from './look-at-volumes.ts';
import { type Surroundings, surroundings } from './surroundings.ts';

/** Looks at everything, side by side. What fails or hangs stands in `unexamined`; the rest is there all the same. */
export async function examine(context: Context): Promise<Examined> {
  const around = surroundings(context);
  const examination = new Examination(context.signal);
  const part = examination.of.bind(examination);
  const asking = { asksEngine: true };
  const [engine, definition, ...parts] = await Promise.all([
    lookAtEngine(around, examination),
    definitionTrouble(around, examination),
    part('other homes', () => lookAtHomes(around), asking),
    part('the folders of the home', () => lookAtFolders(around)),
    part('the disks', () => lookAtDisks(around)),
    part('the disk of the vault', () => vaultOnModelsDisk(context.home)),
    part('the ports of the services', () => lookAtPorts(around)),
    part('the GPU', () => lookAtGpu(context)),
    part('the volumes', () => lookAtVolumes(around), asking),
    part('volumes of other names', () => lookAtOtherVolumes(around), asking),
    part('stores of an Ollama on this machine', () => lookAtHostStores(around)),
    part("Ollama's store", () => lookAtStore(around)),
    part('the vault', () => lookAtVault(around)),
    part('backups', () => lookAtBackups(around)),
    part('what killed commands left', () => lookAtLeftovers(around)),
    part('the services', () => lookAtServices(around), asking),
    part('the images', () => lookAtImages(around), asking),
  ]);
  const [otherHomes, folders, disks, vaultSharesDisk, ports, gpu, volumes, otherVolumes, ...more] = parts;
  const [hostStores, store, vault, backups, leftovers, services, images] = more;
  return {
    now: new Date(),
    home: context.home.root,
    engine,
    definition: definition.trouble,
    otherHomes,
    folders,
    disks,
    vaultSharesDisk,
    ports,
    gpu,
    volumes,
    otherVolumes,
    hostStores,
    store,
    vault,
    backups,
    leftovers,
    services,
    images,
    unexamined: onesOwn(examination, {
      engineOff: !engine.answers,
      elsewhere: (otherHomes ?? []).length > 0,
      closed: (folders ?? []).some(({ state }) => state === 'closed'),
      definition: definition.cause,
    }),
  };
}

async function definitionTrouble(
  { definition, context }: Surroundings,
  examination: Examination,
): Promise<{ readonly trouble: Examined['definition']; readonly cause: unknown }> {
  try {
    await examination.inTime(definition());
    return { trouble: null, cause: undefined };
  } catch (cause) {
    context.signal.throwIfAborted();
    const hint = cause instanceof AixclError ? cause.hint : undefined;
    return { trouble: { what: reasonOf(cause), command: hint ?? null }, cause };
  }
}

/** One that is demanded and can't be had is an error to every other command. */
async function lookAtGpu(context: Context): Promise<Examined['gpu']> {
  try {
    return (await context.gpu()).problem ?? null;
  } catch (error) {
    if (!(error instanceof AixclError) || error.code !== 'refused') throw error;
    return { message: error.message, mend: error.hint ?? 'aixcl stack start --gpu none' };
  }
}

interface Known {
  readonly engineOff: boolean;
  /** True where the engine is another home's. */
  readonly elsewhere: boolean;
  /** True where this user may not use a folder of the home. */
  readonly closed: boolean;
  /** What the definition failed by. */
  readonly definition: unknown;
}

/** Parts that failed for a reason of their own: one engine that is off is one finding. */
function onesOwn({ unexamined }: Examination, known: Known): Unexamined[] {
  const own = unexamined.filter(({ cause, asksEngine }) => {
    if (cause === known.definition || (known.engineOff && asksEngine)) return false;
    if (known.closed && isForbidden(cause)) return false;
    return !(known.elsewhere && cause instanceof AixclError && cause.code === 'refused');
  });
  return own.map(({ part, what, command }) => ({ part, what, command }));
}

function isForbidden(cause: unknown): boolean {
  const source = cause instanceof AixclError ? cause.cause : cause;
  return ['EACCES', 'EPERM'].includes(systemCode(source) ?? '');
}
