import { labels } from '../labels.ts';
import type { ContainerSpec, ContainerSummary } from './engine.ts';

type Own = 'image' | 'command' | 'labels' | 'mounts' | 'user' | 'restart' | 'capAdd' | 'init';

/** A container of ours that is no service: it sleeps so many seconds, without a network, a log, or anything that it could write to beside its mounts. */
export function bareContainer({
  seconds,
  ...own
}: Omit<Pick<ContainerSpec, Own>, 'command'> & { readonly seconds: string }): ContainerSpec {
  return {
    ...own,
    entrypoint: ['sleep'],
    command: [seconds],
    environment: new Map(),
    ports: [],
    networks: [],
    networkMode: 'none',
    workingDir: '/',
    readOnly: true,
    healthcheck: { test: ['NONE'] },
    logging: { driver: 'none', options: new Map() },
    groupAdd: [],
    extraHosts: [],
    capDrop: ['ALL'],
    // Without the second, hosts with SELinux let no container into folders that are not labelled for it.
    securityOpt: ['no-new-privileges:true', 'label=disable'],
    devices: [],
    deviceRequests: [],
    ulimits: new Map(),
    resources: {},
  };
}

/** One that a command made to work for it, and that goes with it; not the guard, which stays. */
export function isHelper({ labels: own }: Pick<ContainerSummary, 'labels'>): boolean {
  return own[labels.operation] !== undefined;
}
