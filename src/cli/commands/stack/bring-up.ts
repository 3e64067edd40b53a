import { setTimeout as delay } from 'node:timers/promises';
import type { Arguments } from 'yargs';
import { homeVariables, isHomeFolder, makeHomeFolder, saveSettings } from '../../../adapters/home-folder.ts';
import { hostFacts } from '../../../adapters/host-facts.ts';
import { readActivation } from '../../../adapters/models-directory/activation-files.ts';
import { openToPage } from '../../../adapters/page-folders.ts';
import { readSeen } from '../../../adapters/seen-volumes.ts';
import { reasonOf } from '../../../errors.ts';
import { settleStep } from '../../../plan/operations.ts';
import { withAdoptedData } from '../../../stack/adoption.ts';
import { applyPulls, applyStart, type StartHands, type StartOutcome } from '../../../stack/apply-start.ts';
import type { ServiceDefinition, StackDefinition } from '../../../stack/definition/types.ts';
import type { Engine } from '../../../stack/engine.ts';
import { refuseOtherHome } from '../../../stack/home-guard.ts';
import { isLeftOut, withLeftOut } from '../../../stack/home-overlay.ts';
import { isLocallyBuilt } from '../../../stack/local-image.ts';
import { observe } from '../../../stack/observe.ts';
import { planFetches } from '../../../stack/plan-images.ts';
import { planStart } from '../../../stack/plan-start.ts';
import { isEngineProxy } from '../../../stack/port-conflict.ts';
import type { StartStep, StartWish } from '../../../stack/start-step.ts';
import { isChange } from '../../../stack/step-recorder.ts';
import type { Turn } from '../../../stack/turn.ts';
import { type Journalled, journalled } from '../../../wiring/journalled.ts';
import type { OperationWish } from '../../../wiring/operation.ts';
import type { Context } from '../../context.ts';
import { pageService } from '../ui/opened.ts';
import { asKept, lookForModels, toMakeInside } from './inside-engine.ts';
import { type DataKept, recordKept, toAdopt, toKeep, type View } from './keep-data.ts';
import { operationWish } from './operation-wish.ts';
import { calledAs, number, toStart } from './selection.ts';
import { StartProgress } from './start-progress.ts';
import { turnOf } from './turn.ts';
import { unresolvedBy } from './unresolved.ts';

/** Definition, what was seen of it on the engine, and what a start did or would do. */
export interface BroughtUp {
  readonly definition: StackDefinition;
  readonly services: readonly ServiceDefinition[];
  readonly plan: readonly StartStep[];
  /** Absent with `--dry-run`. */
  readonly outcome?: StartOutcome;
}

/** Observe → plan → apply, for what `stack start` was given. `wish`: what the journal is told. */
export async function bringUp(
  context: Context,
  argv: Arguments,
  wish: OperationWish = operationWish(context, argv, 'start'),
): Promise<BroughtUp> {
  // The definition is read while the engine answers.
  const [engine, { problem }] = await Promise.all([context.engine(), context.gpu(), context.definition()]);
  if (problem) context.out.warn(`${problem.message}\n  ${problem.mend}`);
  const turn = turnOf(context, calledAs(argv, 'start'));
  if (context.flags.dryRun) return prepare(context, engine, argv);
  const unresolved = unresolvedBy(context, wish);
  await turn.enter();
  let held = true;
  const letGo = () => {
    if (held) turn.leave();
    held = false;
  };
  try {
    return await journalled(context, { ...wish, evenUnwritten: true }, async (noted) => {
      const done = await carryOut(context, engine, argv, { turn, letGo, noted });
      if (!noted.operation.began && done.outcome?.failures.length === 0) {
        for (const id of await unresolved)
          await noted.operation.step(settleStep, id, 'nothing is left to do');
      }
      return done;
    });
  } finally {
    letGo();
  }
}

interface Prepared extends View {
  readonly kept: DataKept;
  readonly plan: readonly StartStep[];
}

/** What would be done; throws where that is refused. Changes nothing. */
async function prepare(context: Context, engine: Engine, argv: Arguments): Promise<Prepared> {
  const wish = await wishOf(context, argv);
  let view = await lookPast(context, engine, await context.definition(), argv);
  refuseOtherHome(view.observed.containers, context.home);
  const adopted = argv.adopt === true ? toAdopt(context, view) : [];
  if (adopted.length > 0) view = await look(context, engine, withAdoptedData(view.definition, adopted), argv);
  const plan = [...planFetches(view.observed, view.services, wish), ...planOf(view, wish)];
  return { ...view, kept: { adopted, volumes: toKeep(context, view) }, plan };
}

interface Held {
  readonly turn: Turn;
  readonly noted: Journalled;
  letGo(): void;
}

async function carryOut(context: Context, engine: Engine, argv: Arguments, held: Held): Promise<BroughtUp> {
  const { turn, noted } = held;
  const progress = new StartProgress(context.progress);
  const hands = handsOf(context, engine, argv, { ...held, progress });
  const prepared = await prepare(context, engine, argv);
  let view: View = prepared;
  let { plan } = prepared;

  const images = plan.filter(isImageStep);
  const fetched =
    images.length > 0
      ? await turn.pause(() => applyPulls(images, view.definition.project, hands))
      : undefined;
  const inside = await toMakeInside(context, engine, view, plan);
  const made = inside.length > 0 ? await applyPulls(inside, view.definition.project, hands) : undefined;
  const { kept } = prepared;
  const volumes = [...kept.volumes, ...inside.map(asKept)];
  for (const { name, place } of volumes) {
    await noted.operation.step('declare-external', name, `its bytes lie ${place}`);
  }
  const recorded = await recordKept(context, { ...kept, volumes });
  if (recorded) view = { ...view, definition: await context.reloadDefinition() };
  if (fetched || recorded) {
    // Images decide what drifted; and somebody else may have had a turn meanwhile.
    view = await look(context, engine, view.definition, argv);
    plan = planOf(view, await wishOf(context, argv)).filter((step) => !isImageStep(step));
  }
  if (plan.some(isChange) && (await lookForModels(context, engine, view))) {
    plan = planOf(view, await wishOf(context, argv)).filter((step) => !isImageStep(step));
  }
  const { definition, observed, services } = view;
  if (context.ownStack) await saveForCompose(context, definition);
  if (context.ownStack && services.some(({ name }) => name === pageService)) {
    const { opened } = await openToPage(context.home);
    if (opened)
      context.out.note(`${context.home.root} was root's alone; the page's user may pass through it now`);
  }
  for (const step of plan) {
    if (step.kind === 'replace' || step.kind === 'adopt')
      context.out.note(`${step.service} is made anew: ${step.because}`);
    if (step.kind === 'go-back')
      context.out.note(`${step.service} goes back to the container before: ${step.because}`);
  }
  progress.expect(plan);
  const before = {
    steps: [...(fetched?.steps ?? []), ...(made?.steps ?? [])],
    failures: fetched?.failures ?? new Map(),
  };
  const outcome = await applyStart(definition, observed, services, plan, hands, before);
  tellOutcome(outcome, noted);
  for (const { kind, target, because } of outcome.steps) {
    if (kind === 'keep-aside') context.out.note(`${target} stays set aside: ${because}`);
  }
  await noLongerLeftOut(context, services, outcome);
  return { definition, services, plan, outcome };
}

/** Lets the journal know how it went. */
function tellOutcome({ failures, failed, steps }: StartOutcome, noted: Journalled): void {
  if (failures.length === 0) return;
  const anyUp = steps.some(
    ({ kind, target, outcome }) => kind === 'start' && outcome === 'done' && !failed.has(target),
  );
  noted.failed(anyUp ? 'partly' : 'failed', failures.map(reasonOf).join('; '));
}

function isImageStep(step: StartStep): boolean {
  return 'reference' in step;
}

async function look(
  context: Context,
  engine: Engine,
  definition: StackDefinition,
  argv: Arguments,
): Promise<View> {
  const services = toStart(context, definition, argv);
  return { definition, services, observed: await observe(engine, hostFacts, definition, services) };
}

/** How long the engine is given to finish what it is doing to a container of ours. */
const engineLooks = 10;
const engineLookMs = 200;

/** As `look`, once no proxy of an engine holds a port that no running container publishes: it is just starting or ending one. */
async function lookPast(
  context: Context,
  engine: Engine,
  definition: StackDefinition,
  argv: Arguments,
): Promise<View> {
  let view = await look(context, engine, definition, argv);
  for (
    let looks = 1;
    looks < engineLooks && [...view.observed.takenPorts.values()].some(isEngineProxy);
    looks += 1
  ) {
    await delay(engineLookMs, undefined, { signal: context.signal });
    view = await look(context, engine, definition, argv);
  }
  return view;
}

function planOf({ definition, observed, services }: View, wish: StartWish): StartStep[] {
  return planStart(definition, observed, services, wish);
}

async function wishOf(context: Context, argv: Arguments): Promise<StartWish> {
  const [unready, seen] = await Promise.all([loadingServices(context), readSeen(context.home)]);
  return {
    pull: argv.pull === 'never' || argv.pull === 'always' ? argv.pull : 'missing',
    build: argv.build === true,
    adopt: argv.adopt === true,
    wait: argv.wait !== false,
    unready,
    home: context.home.root,
    seen,
    isHomeFolder: (path) => isHomeFolder(path, context.home),
    isLocallyBuilt,
  };
}

/** llama-server counts as healthy for the engine while it loads; its own state says more. */
async function loadingServices(context: Context): Promise<Set<string>> {
  if (!context.ownStack) return new Set();
  const { state } = await readActivation(context.home.models);
  return new Set(state?.phase === 'loading' || state?.phase === 'switching' ? ['llama-server'] : []);
}

function handsOf(
  context: Context,
  engine: Engine,
  argv: Arguments,
  { progress, turn, letGo, noted }: Held & { readonly progress: StartProgress },
): StartHands {
  return {
    engine,
    signal: context.signal,
    waitTimeoutMs: (number(argv.waitTimeout) ?? 300) * 1000,
    home: context.home.root,
    report: progress,
    turn,
    onLaunched: letGo,
    note: noted.operation.step,
    makeDirectory: (path) => makeHomeFolder(path, context.home),
    async buildLocalImage(reference) {
      const report = (line: string) => progress.line(reference, line);
      const { buildLocalImage } = await import('../../../adapters/debian/llama-image.ts');
      await buildLocalImage(engine, reference, { report, signal: context.signal });
    },
  };
}

/** What the next command, and plain `docker compose` in the home, need to know to mean the same stack. */
async function saveForCompose(context: Context, definition: StackDefinition): Promise<void> {
  const { env, home, flags } = context;
  await saveSettings(home, {
    ...(await homeVariables(home, env)),
    AIXCL_GPU: flags.gpu,
    COMPOSE_PROJECT_NAME: definition.project,
    COMPOSE_FILE: definition.files.join(':'),
  });
}

/** A service that was left out for want of its image, and came up when it was named, belongs to the stack again. */
async function noLongerLeftOut(
  context: Context,
  services: readonly ServiceDefinition[],
  outcome: StartOutcome,
): Promise<void> {
  const back = services.filter(isLeftOut).map(({ name }) => name);
  if (back.length === 0 || outcome.failures.length > 0) return;
  const { changeOverlay } = await import('../../../adapters/overlay-file.ts');
  await changeOverlay(context.home.overlayFile, (overlay) => withLeftOut(overlay, [], back));
}
