import { configFolder, parseAddress, readJson, resolveAddress } from '../../../adapters/docker/address.ts';
import type { EngineExamined, OtherHome } from '../../../doctor/examined.ts';
import { AixclError, systemCode } from '../../../errors.ts';
import { labels } from '../../../labels.ts';
import { type Examination, TimeUp } from './examination.ts';
import type { Surroundings } from './surroundings.ts';

/** Whether the engine answers, and as what. Throws only what no engine is to blame for. */
export async function lookAtEngine(
  { context, engine }: Surroundings,
  examination: Examination,
): Promise<EngineExamined> {
  try {
    const found = await examination.inTime(engine());
    const { version, apiVersion } = await examination.inTime(found.info());
    const { address } = found;
    return {
      answers: true,
      address,
      version,
      apiVersion,
      dockerElsewhere: await elsewhere(context.env, address),
    };
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof TimeUp) {
      const what = `the Docker engine took the connection, and then gave ${error.message}`;
      return { answers: false, what, command: 'sudo systemctl restart docker', rights: false };
    }
    if (!(error instanceof AixclError)) throw error;
    const rights = ['EACCES', 'EPERM'].includes(systemCode(error.cause) ?? '');
    return { answers: false, what: error.message, command: error.hint ?? null, rights };
  }
}

/** The context that `docker context use` chose, where it leads to another engine than `address`. */
async function elsewhere(
  env: Readonly<Record<string, string | undefined>>,
  address: string,
): Promise<{ context: string; address: string } | null> {
  try {
    const config = (await readJson(`${configFolder(env)}/config.json`)) as
      | { currentContext?: string }
      | undefined;
    const context = config?.currentContext;
    if (!context || context === 'default') return null;
    const theirs = await resolveAddress({ context, env });
    return theirs.display === parseAddress(address, undefined).display
      ? null
      : { context, address: theirs.display };
  } catch (error) {
    // A context that this command does not use may be broken, or on another machine.
    if (error instanceof AixclError) return null;
    throw error;
  }
}

/** One of each home that is not this one. */
export async function lookAtHomes({ context, containers, volumes }: Surroundings): Promise<OtherHome[]> {
  const [running, kept] = await Promise.all([containers(), volumes()]);
  const seen = [
    ...running.map((each) => ({ home: each.labels[labels.home], seenAt: `the container ${each.name}` })),
    ...kept.map((each) => ({ home: each.labels[labels.home], seenAt: `the volume ${each.name}` })),
  ];
  const others = new Map<string, OtherHome>();
  for (const { home, seenAt } of seen) {
    if (home && home !== context.home.root && !others.has(home)) others.set(home, { home, seenAt });
  }
  return [...others.values()];
}
