import { saveSettings } from '../../../adapters/home-folder.ts';
import { hostFacts } from '../../../adapters/host-facts.ts';
import { changeOverlay } from '../../../adapters/overlay-file.ts';
import { readSeen } from '../../../adapters/seen-volumes.ts';
import { AixclError } from '../../../errors.ts';
import type { ServiceDefinition, StackDefinition } from '../../../stack/definition/types.ts';
import { refuseOtherHome } from '../../../stack/home-guard.ts';
import { isLeftOut, withLeftOut } from '../../../stack/home-overlay.ts';
import { localLlamaImage } from '../../../stack/local-image.ts';
import { type VolumeStatus, volumeStatuses } from '../../../stack/volumes/volume-status.ts';
import { createApp } from '../../app.ts';
import type { Context } from '../../context.ts';
import { addresses } from '../stack/endpoints.ts';
import { toStart } from '../stack/selection.ts';
import { startServices } from '../stack/start.ts';
import { askLlamaServer } from './answer.ts';
import { ensureEngine } from './engine.ts';
import { ensureImages, type Images } from './images.ts';
import { ensureModel } from './model.ts';

const question = 'Hello! Do you work?';

const planned = [
  ['use', 'the Docker engine', "the one that is there, or, once agreed to, Debian's"],
  ['get', 'the images', 'by pull, or llama-server from Debian packages'],
  ['start', 'the stack', 'as aixcl stack start does'],
  ['add', 'a model', 'only where there is none'],
  ['ask', 'llama-server', 'to see that it answers'],
] as const;

/** `quickstart`: engine, images, stack, model, answer. What is there already is used, so a second run takes seconds. */
export async function quickstart(context: Context): Promise<void> {
  if (context.flags.dryRun) {
    const steps = planned.map(([kind, target, because]) => ({
      kind,
      target,
      because,
      outcome: 'planned' as const,
    }));
    const text = planned.map(([kind, target, because]) => `${kind} ${target}: ${because}`).join('\n');
    context.out.result({ command: 'quickstart', changed: false, steps }, text);
    return;
  }
  await ensureEngine(context);
  // The engine may have come up only now, so everything is wired anew.
  const fresh = await createApp(context.flags, context.signal);
  try {
    await fromImagesOn(fresh);
  } finally {
    fresh.close();
  }
}

async function fromImagesOn(context: Context): Promise<void> {
  const engine = await context.engine();
  refuseOtherHome(await engine.listContainers(), context.home);
  const definition = await context.definition();
  const images = await ensureImages(context, wanted(context, definition));
  if (!images.available.includes('llama-server')) throw noServer(images);
  if (images.builtHere.length > 0) {
    const local = images.builtHere.map((variable) => [variable, localLlamaImage] as const);
    await saveSettings(context.home, Object.fromEntries(local));
  }
  const left = images.missing.map(({ service }) => service);
  await changeOverlay(context.home.overlayFile, (overlay) => withLeftOut(overlay, left, images.available));

  // Image and left-out services are part of the definition, which is read anew.
  const wired = await createApp(context.flags, context.signal);
  try {
    await startServices(wired, images.available, 'quickstart');
    await ensureModel(wired);
    await tell(wired, images);
  } finally {
    wired.close();
  }
}

/** What the stack is made of, also what an earlier quickstart had to leave out: its image may be had by now. */
function wanted(context: Context, definition: StackDefinition): ServiceDefinition[] {
  const all = new Set(toStart(context, definition, { _: [], $0: '' }).map(({ name }) => name));
  return [...definition.services.values()].filter((service) => all.has(service.name) || isLeftOut(service));
}

function noServer({ missing }: Images): AixclError {
  const { image, reason } = missing.find(({ service }) => service === 'llama-server') ?? {
    image: 'llama-server',
    reason: 'unknown',
  };
  return new AixclError('notFound', `the image ${image} can't be had: ${reason}`, {
    hint: 'Bring it by docker load, or name another: LLAMA_SERVER_IMAGE=… aixcl quickstart',
    evidence: missing.map((one) => `${one.service}: ${one.reason}`),
  });
}

async function tell(context: Context, images: Images): Promise<void> {
  const definition = await context.definition();
  const engine = await context.engine();
  const services = [...definition.services.values()].filter(({ name }) => images.available.includes(name));
  const server = definition.services.get('llama-server');
  const base = addresses(server?.ports ?? [])[0];
  if (!base)
    throw new AixclError('notRunning', 'llama-server publishes no port, so it can not be asked', {
      hint: 'aixcl stack status',
    });
  const answer = await askLlamaServer(base, question, context.signal);
  const [containers, onEngine, seen] = await Promise.all([
    engine.listContainers(),
    engine.listVolumes(),
    readSeen(context.home),
  ]);
  const world = { host: hostFacts, definition, containers, volumes: onEngine, seen };
  const volumes = await volumeStatuses(world, services, { others: true });
  const endpoints = services.map((service) => ({
    service: service.name,
    url: addresses(service.ports)[0] ?? null,
  }));
  const report = {
    answer: answer.text,
    model: answer.model,
    endpoints,
    leftOut: images.missing,
    models: context.home.models,
    volumes,
  };
  context.out.item('quickstart', report, () => text(context, report));
}

interface Report {
  readonly answer: string;
  readonly model: string;
  readonly endpoints: readonly { readonly service: string; readonly url: string | null }[];
  readonly leftOut: Images['missing'];
  readonly models: string;
  readonly volumes: readonly VolumeStatus[];
}

function text(context: Context, report: Report): string {
  const { paint } = context.out;
  const width = Math.max(...report.endpoints.map(({ service }) => service.length));
  const program = programName();
  return [
    `${paint.dim('you:')} ${question}`,
    `${paint.dim(`${report.model}:`)} ${paint.good(report.answer)}`,
    '',
    paint.bold('Endpoints'),
    ...report.endpoints.map(({ service, url }) => `  ${service.padEnd(width)}  ${url ?? 'not published'}`),
    ...leftOutLines(report, paint),
    '',
    paint.bold('Where models lie'),
    `  GGUF    ${report.models} (a folder of this machine; no engine command reaches it)`,
    ...report.volumes.map(({ name, heldBy }) => `  volume  ${name}, held by ${heldBy ?? 'NOTHING'}`),
    '',
    paint.bold('Next'),
    `  ${program} models add FILE.gguf       bring a model in (a path or an https address)`,
    `  ${program} models activate NAME       let llama-server serve it`,
    `  ${program} stack status               see how things stand`,
    `  curl ${report.endpoints.find(({ service }) => service === 'llama-server')?.url}/v1/models`,
  ].join('\n');
}

function leftOutLines({ leftOut }: Report, paint: Context['out']['paint']): string[] {
  if (leftOut.length === 0) return [];
  const lines = leftOut.flatMap(({ service, reason }) => [
    `  ${service} is left out: ${reason}`,
    `  once its image can be had: ${programName()} service start ${service}`,
  ]);
  return ['', paint.warn('Left out'), ...lines];
}

/** How this program is called here: by its name when that is on the PATH, else by its file. */
function programName(): string {
  const script = process.argv[1] ?? 'aixcl';
  return script.endsWith('/aixcl') ? 'aixcl' : `node ${script}`;
}
