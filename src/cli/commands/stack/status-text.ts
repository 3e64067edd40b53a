import type { Gpu } from '../../../stack/gpu.ts';
import { isHealthy, type ServiceStatus } from '../../../stack/status.ts';
import { isHeldFast, type VolumeStatus } from '../../../stack/volumes/volume-status.ts';
import type { Column, Paint } from '../../context.ts';
import { ago } from '../../output/quantity.ts';
import { table } from '../../output/table.ts';
import type { ActivationReport, StatusReport } from './status.ts';

/** The report as people read it; its last line is `Services: n/m healthy`. */
export function statusText(report: StatusReport, gpuProblem: Gpu['problem'], paint: Paint): string {
  const healthy = report.services.filter(isHealthy).length;
  const count = `Services: ${healthy}/${report.services.length} healthy`;
  const conditions = report.services.flatMap(({ service, condition }) =>
    condition ? `${paint.warn(`${service}:`)} ${condition}` : [],
  );
  const blocks = [
    table(report.services, serviceColumns(paint)),
    conditions.join('\n'),
    leftOutLines(report).join('\n'),
    modelLines(report, paint).join('\n'),
    gpuLine(report, gpuProblem, paint),
    report.volumes.length > 0 ? table(report.volumes, volumeColumns(paint)) : '',
    [
      ...goneVolumes(report.volumes, paint),
      ...hidingVolumes(report.volumes, paint),
      ...volumeAlarms(report.volumes, paint),
    ].join('\n'),
    savedLines(report, paint).join('\n'),
    healthy === report.services.length ? paint.good(count) : paint.warn(count),
  ];
  return blocks.filter(Boolean).join('\n\n');
}

function serviceColumns(paint: Paint): Column<ServiceStatus>[] {
  return [
    { title: 'service', value: ({ service }) => service },
    { title: 'container', value: ({ container }) => container ?? '-' },
    { title: 'status', value: (service) => stateWords(service, paint) },
    { title: 'ports', value: ({ ports }) => portWords(ports) },
    { title: 'image', value: ({ image }) => image },
  ];
}

function stateWords(service: ServiceStatus, paint: Paint): string {
  const { state, health, status } = service;
  const words =
    state === 'running' && health === 'healthy'
      ? status.replace(/\(health: starting\)/, '(healthy)')
      : status;
  if (isHealthy(service)) return paint.good(words);
  return state === 'running' || state === 'created' ? paint.warn(words) : paint.bad(words);
}

function portWords(ports: ServiceStatus['ports']): string {
  const words = ports.map(
    ({ hostIp, published, target }) => `${hostIp ? `${hostIp}:` : ''}${published}→${target}`,
  );
  return [...new Set(words)].join(', ') || '-';
}

function modelLines({ services, activeModel, activation }: StatusReport, paint: Paint): string[] {
  const server = services.find(({ service }) => service === 'llama-server');
  if (!server || !activation) return [];
  const { phase, asked } = activation;
  const running = server.state === 'running';
  const shown = running && phase && phase !== 'ready' ? ` (${phase})` : '';
  const none = running ? `; ${idleWords(activation)}` : '';
  return [
    activeModel ? `Active model: ${activeModel}${shown}` : `Active model: none${none}`,
    ...(asked && !running ? [`Asked for: ${asked}, to be proven when llama-server starts`] : []),
    ...reasonLines(activation, running && !activeModel, paint),
  ];
}

/** What a llama-server does that serves no model. */
function idleWords({ phase, reason }: ActivationReport): string {
  if (phase === 'failed') return reason ? `nothing loads: ${reason}` : 'nothing loads';
  return 'llama-server waits for a model (aixcl models add FILE.gguf)';
}

/** `idle`: the line before says why nothing is served; where nothing loads, with the reason. */
function reasonLines(
  { phase, result, want, reason }: ActivationReport,
  idle: boolean,
  paint: Paint,
): string[] {
  if (!reason || (idle && phase === 'failed')) return [];
  if (result === 'reverted' || result === 'refused') {
    const what = want && !reason.includes(want) ? `${want}: ` : '';
    return [`${paint.warn('Last wish not fulfilled:')} ${what}${reason}`];
  }
  // How to bring a model in has been said.
  if (idle && reason.includes('aixcl models add')) return [];
  return [`${paint.warn('Note:')} ${reason}`];
}

function leftOutLines({ leftOut }: StatusReport): string[] {
  return leftOut.map(
    (service) =>
      `${service} is left out: its image could not be had. To try again: aixcl service start ${service}`,
  );
}

function gpuLine({ gpu }: StatusReport, problem: Gpu['problem'], paint: Paint): string {
  if (problem)
    return `${paint.bad('GPU:')} this machine has one (${gpu.host}); ${problem.message}\n  ${problem.mend}`;
  if (!gpu.host) return 'GPU: none on this machine';
  return gpu.given
    ? `GPU: ${gpu.given}, given to the services`
    : `GPU: ${gpu.host}, not given to the services`;
}

function volumeColumns(paint: Paint): Column<VolumeStatus>[] {
  const now = new Date();
  return [
    { title: 'volume', value: ({ name }) => name },
    { title: 'holds', value: ({ holds }) => holds },
    {
      title: 'held by',
      value: (volume) => volume.heldBy ?? unheldWords(volume, paint),
    },
    {
      title: 'last backup',
      value: ({ lastBackup }) => (lastBackup ? ago(new Date(lastBackup), now) : 'never'),
    },
  ];
}

/** What `stack start` would do too is the next command there is for a stack that is down. */
const toHold =
  'Let it be held: aixcl doctor --fix, or aixcl stack start where a service of it uses the volume';

function unheldWords({ exists, gone, lostFolder }: VolumeStatus, paint: Paint): string {
  if (lostFolder !== null) return 'folder not there';
  if (exists) return paint.bad('NOTHING');
  return gone ? paint.bad('GONE') : 'not made yet';
}

/** Volumes in the place of folders that this home has things in. */
function hidingVolumes(volumes: readonly VolumeStatus[], paint: Paint): string[] {
  return volumes.flatMap(({ name, hides }) =>
    hides === null
      ? []
      : `${paint.warn('WARNING:')} the volume ${name} hides ${hides}, which holds files of this home, and stack start refuses to choose. To take it away, what it holds saved first: aixcl stack clean --volumes ${name}`,
  );
}

function goneVolumes(volumes: readonly VolumeStatus[], paint: Paint): string[] {
  return volumes.flatMap(({ name, holds, gone }) =>
    gone
      ? `${paint.bad('GONE:')} the volume ${name} (${holds}) was there before, and is no more. What aixcl saved of it: aixcl backups list; how to go on: aixcl doctor`
      : [],
  );
}

function volumeAlarms(volumes: readonly VolumeStatus[], paint: Paint): string[] {
  return volumes.flatMap(({ name, holds, heldBy, exists, lostFolder }) => {
    if (lostFolder !== null) {
      return `${paint.warn('WARNING:')} the volume ${name} is a name for ${lostFolder}, which is not there: mount its disk, or bring the folder back`;
    }
    if (!exists || holds === 'disposable' || isHeldFast(heldBy)) return [];
    const what = `the volume ${name} (${holds === 'unknown' ? 'nobody knows what is in it' : holds})`;
    return heldBy === null
      ? `${paint.bad('DANGER:')} ${what} is held by nothing: docker system prune and docker volume prune would delete it. ${toHold}`
      : `${paint.warn('WARNING:')} ${what} is held by the ${heldBy} alone: once that stops, docker system prune and docker volume prune delete it. ${toHold}`;
  });
}

/** So many names are read; the rest is counted. */
const mostNames = 3;

function savedLines({ neverBackedUp, vaultSharesDisk }: StatusReport, paint: Paint): string[] {
  const lines: string[] = [];
  if (neverBackedUp && neverBackedUp.length > 0) {
    const names = neverBackedUp.slice(0, mostNames).join(', ');
    const more = neverBackedUp.length > mostNames ? ` and ${neverBackedUp.length - mostNames} more` : '';
    lines.push(`${paint.warn('Never backed up:')} ${names}${more}. To do so: aixcl backups create`);
  }
  if (vaultSharesDisk) {
    lines.push(
      'The vault lies on the disk of the models. A second one on another disk: aixcl vault sync FOLDER',
    );
  }
  return lines;
}
