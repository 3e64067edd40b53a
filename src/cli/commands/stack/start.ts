import type { Arguments } from 'yargs';
import { buildLocalImage, isLocallyBuilt } from '../../../adapters/debian/llama-image.ts';
import { makeHomeFolder, ownerOf, saveAdopted, saveSettings } from '../../../adapters/home-folder.ts';
import { hostFacts } from '../../../adapters/host-facts.ts';
import { readActivation } from '../../../adapters/models-directory/activation-files.ts';
import type { Result } from '../../../plan/step.ts';
import { type Adopted, adoptedCompose, adoptions } from '../../../stack/adoption.ts';
import { applyStart } from '../../../stack/apply-start.ts';
import type { ServiceDefinition, StackDefinition } from '../../../stack/definition/types.ts';
import type { Engine } from '../../../stack/engine.ts';
import { refuseOtherHome } from '../../../stack/home-guard.ts';
import { observe } from '../../../stack/observe.ts';
import { planStart } from '../../../stack/plan-start.ts';
import { describe } from '../../../stack/start-report.ts';
import type { StartStep, StartWish } from '../../../stack/start-step.ts';
import type { Context } from '../../context.ts';
import { endpoints } from './endpoints.ts';
import { number, toStart } from './selection.ts';
import { StartProgress } from './start-progress.ts';

/** The start of these services with every option as it is by default. */
export async function startServices(context: Context, services: readonly string[]): Promise<void> {
  await bringUp(context, { _: [], $0: '', services, pull: 'missing' });
}

/** `stack start`. */
export async function start(context: Context, argv: Arguments): Promise<void> {
  const done = await bringUp(context, argv);
  context.out.result(done.result, done.text);
}

/** Observe → plan → show → apply. Answers what to print. */
async function bringUp(context: Context, argv: Arguments): Promise<{ result: Result; text: string }> {
  const engine = await context.engine();
  await sayGpu(context);
  let definition = await context.definition();
  let services = toStart(context, definition, argv);
  const report = new StartProgress(context);

  if (argv.pull === 'always' && !context.flags.dryRun)
    await pullAll(engine, services, report, context.signal);
  let observed = await observe(engine, hostFacts, definition, services);
  refuseOtherHome(observed.containers, context.home);

  const adopted =
    argv.adopt === true
      ? adoptions(definition, services, (service) => observed.services.get(service.name)?.matches ?? [])
      : [];
  if (adopted.length > 0) {
    sayAdopted(context, adopted);
    if (!context.flags.dryRun) {
      await saveAdopted(context.home.adoptedFile, adoptedCompose(adopted));
      definition = await context.reloadDefinition();
      services = toStart(context, definition, argv);
      observed = await observe(engine, hostFacts, definition, services);
    }
  }

  const plan = planStart(definition, observed, services, {
    pull: argv.pull as StartWish['pull'],
    build: argv.build === true,
    adopt: argv.adopt === true,
    wait: argv.wait !== false,
    unready: await loadingServices(context),
    isHomeFolder: (path) => path.startsWith(`${context.home.root}/`),
    isLocallyBuilt,
  });
  if (context.flags.dryRun) return planned(plan);
  if (context.ownStack) await saveForCompose(context, definition);

  const outcome = await applyStart(definition, observed, services, plan, {
    engine,
    signal: context.signal,
    waitTimeoutMs: (number(argv.waitTimeout) ?? 300) * 1000,
    home: context.home.root,
    makeDirectory: (path) => makeHomeFolder(path, context.home),
    buildLocalImage: async (reference) => {
      await buildLocalImage(engine, reference, {
        report: (line) => report.line(reference, line),
        signal: context.signal,
      });
    },
    report,
  });
  const changed = outcome.steps.some((step) => step.outcome === 'done' && step.kind !== 'wait');
  const result: Result = { command: 'stack start', changed, steps: outcome.steps };
  const [failure, ...others] = outcome.failures;
  if (failure !== undefined) {
    context.out.result(result);
    for (const other of others) context.out.warn(other instanceof Error ? other.message : String(other));
    throw failure;
  }
  return { result, text: await endpoints(context, definition, services, outcome.loading) };
}

function planned(plan: readonly StartStep[]): { result: Result; text: string } {
  const steps = plan.map((step) => ({ ...describe(step), outcome: 'planned' as const }));
  const lines = steps.map(
    ({ kind, target, because }) => `${kind.replaceAll('-', ' ')} ${target}: ${because}`,
  );
  return {
    result: { command: 'stack start', changed: false, steps },
    text: lines.join('\n') || 'nothing to do',
  };
}

async function pullAll(
  engine: Engine,
  services: readonly ServiceDefinition[],
  report: StartProgress,
  signal: AbortSignal,
): Promise<void> {
  const pulled = services.filter(
    (service) => !service.build && service.pullPolicy !== 'never' && !isLocallyBuilt(service.image),
  );
  await Promise.all(
    [...new Set(pulled.map(({ image }) => image))].map(async (reference) => {
      const step = { kind: 'pull-image', reference, because: '--pull always' } as const;
      report.begin(step);
      try {
        for await (const progress of engine.pullImage(reference, { signal })) report.layer(step, progress);
        report.end(step);
      } catch (error) {
        report.end(step, error);
        throw error;
      }
    }),
  );
}

async function sayGpu(context: Context): Promise<void> {
  const { problem } = await context.gpu();
  if (problem) context.out.warn(`${problem.message}\n  ${problem.mend}`);
}

function sayAdopted(context: Context, adopted: readonly Adopted[]): void {
  for (const { service, mounts } of adopted) {
    for (const mount of mounts) context.out.note(`${service} keeps ${mount.source} at ${mount.target}`);
  }
}

/** What the next command, and plain `docker compose` in the home, need to know to mean the same stack. */
async function saveForCompose(context: Context, definition: StackDefinition): Promise<void> {
  const { env, home, flags } = context;
  const { uid, gid } = await ownerOf(home.models);
  await saveSettings(home, {
    AIXCL_HOME: home.root,
    AIXCL_MODELS_DIR: env.AIXCL_MODELS_DIR && home.models,
    AIXCL_UID: env.AIXCL_UID ?? String(uid),
    AIXCL_GID: env.AIXCL_GID ?? String(gid),
    AIXCL_GPU: flags.gpu,
    COMPOSE_PROJECT_NAME: definition.project,
    COMPOSE_FILE: definition.files.join(':'),
  });
}

/** llama-server counts as healthy for the engine while it loads; its own state says more. */
async function loadingServices(context: Context): Promise<Set<string>> {
  const { state } = await readActivation(context.home.models);
  return new Set(state?.phase === 'loading' || state?.phase === 'switching' ? ['llama-server'] : []);
}
