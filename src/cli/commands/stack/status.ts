import { setTimeout as delay } from 'node:timers/promises';
import type { Arguments } from 'yargs';
import { hostFacts } from '../../../adapters/host-facts.ts';
import { readActivation } from '../../../adapters/models-directory/activation-files.ts';
import { readSeen } from '../../../adapters/seen-volumes.ts';
import { AixclError } from '../../../errors.ts';
import { type Activation, activeModel, pendingRequest } from '../../../models/active-model.ts';
import { refuseOtherHome } from '../../../stack/home-guard.ts';
import { isLeftOut } from '../../../stack/home-overlay.ts';
import { isHealthy, type ServiceStatus, serviceStatuses } from '../../../stack/status.ts';
import { type VolumeStatus, volumeStatuses } from '../../../stack/volumes/volume-status.ts';
import type { Context } from '../../context.ts';
import { savedModels } from './saved.ts';
import { namesOf, toActOn, toStart } from './selection.ts';
import { statusText } from './status-text.ts';

export interface StatusReport {
  readonly project: string;
  readonly home: string;
  readonly services: readonly ServiceStatus[];
  readonly activeModel: string | null;
  readonly activation: ActivationReport | null;
  /** Services that are no part of the stack until they are named: their image could not be had. */
  readonly leftOut: readonly string[];
  readonly gpu: { readonly host: string | null; readonly given: string | null };
  readonly volumes: readonly VolumeStatus[];
  /** Models that no good snapshot holds. Null: not known. */
  readonly neverBackedUp: readonly string[] | null;
  /** True: one failing disk takes the models and the vault. Null: not known, or no models. */
  readonly vaultSharesDisk: boolean | null;
}

export interface ActivationReport {
  readonly phase: string | null;
  /** What became of the last wish: `pending`, `applied`, `reverted` or `refused`. */
  readonly result: string | null;
  /** The model of that wish. */
  readonly want: string | null;
  /** Why it was not fulfilled, why nothing is served, or what is wrong with link or file. */
  readonly reason: string | null;
  /** The model that was asked for and is not yet tried. */
  readonly asked: string | null;
}

const watchEveryMs = 1000;

/** `stack status`. */
export async function status(context: Context, argv: Arguments): Promise<void> {
  await (argv.watch === true ? watch(context, argv) : once(context, argv));
}

async function once(context: Context, argv: Arguments): Promise<void> {
  const report = await observeStatus(context, argv);
  const { problem } = await context.gpu();
  context.out.item('status', report, () => statusText(report, problem, context.out.paint));
  if (argv.check !== true) return;
  const sick = report.services.filter((service) => !isHealthy(service));
  if (sick.length > 0) {
    throw new AixclError('unhealthy', `not healthy: ${sick.map(({ service }) => service).join(', ')}`, {
      hint: `aixcl service logs ${sick[0]?.service}`,
    });
  }
}

/** Shows the status whenever it changed, until Ctrl-C. */
async function watch(context: Context, argv: Arguments): Promise<void> {
  const interactive = process.stdout.isTTY === true && context.flags.format === 'table';
  let shown = '';
  while (!context.signal.aborted) {
    const report = await observeStatus(context, argv);
    const { problem } = await context.gpu();
    const text = statusText(report, problem, context.out.paint);
    // How long a container has been up changes every second; only a screen wants to know.
    const seen = interactive
      ? text
      : JSON.stringify(report.services.map(({ status: _, ...service }) => service));
    if (seen !== shown) context.out.item('status', report, () => `${interactive ? clearScreen : ''}${text}`);
    shown = seen;
    await delay(watchEveryMs, undefined, { signal: context.signal }).catch(() => undefined);
  }
}

const clearScreen = '\x1b[H\x1b[2J';

async function observeStatus(context: Context, argv: Arguments): Promise<StatusReport> {
  // The engine answers while the definition is read.
  const engine = context.engine();
  const [definition, containers, onEngine, gpu, activation, saved, seen] = await Promise.all([
    context.definition(),
    engine.then((it) => it.listContainers()),
    engine.then((it) => it.listVolumes()),
    context.gpu(),
    context.ownStack ? readActivation(context.home.models) : undefined,
    context.ownStack ? savedModels(context.home) : undefined,
    readSeen(context.home),
  ]);
  refuseOtherHome(containers, context.home);
  const named = namesOf(argv);
  const wanted = named.length > 0 ? toActOn(context, definition, argv) : toStart(context, definition, argv);
  const all = await serviceStatuses(
    await engine,
    definition,
    new Set(wanted.map(({ name }) => name)),
    containers,
    context.signal,
  );
  const services = named.length > 0 ? all.filter(({ service }) => named.includes(service)) : all;
  const shown = [...definition.services.values()].filter(({ name }) =>
    services.some(({ service }) => service === name),
  );
  const volumes = await volumeStatuses(
    { host: hostFacts, definition, containers, volumes: onEngine, seen },
    shown,
    { others: named.length === 0 },
  );
  return {
    project: definition.project,
    home: context.home.root,
    services,
    activeModel: (activation && activeModel(activation)) ?? null,
    activation: activation ? activationReport(activation) : null,
    leftOut: [...definition.services.values()].filter(isLeftOut).map(({ name }) => name),
    gpu: { host: gpu.host ?? null, given: gpu.given ?? null },
    volumes: volumes.map((volume) =>
      volume.name === 'ollama' ? { ...volume, lastBackup: saved?.ollama ?? null } : volume,
    ),
    neverBackedUp: saved?.neverBackedUp ?? null,
    vaultSharesDisk: saved?.vaultSharesDisk ?? null,
  };
}

function activationReport(activation: Activation): ActivationReport {
  const { state, problems } = activation;
  return {
    phase: state?.phase ?? null,
    result: state?.result ?? null,
    want: state?.want ?? null,
    reason: state?.reason ?? problems[0] ?? null,
    asked: pendingRequest(activation)?.name ?? null,
  };
}
