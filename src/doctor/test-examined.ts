import type { VolumeStatus } from '../stack/volumes/volume-status.ts';
import type { Examined, OtherVolume, ServiceExamined } from './examined.ts';

/** Builders for tests of the checks: a home in which nothing is wrong, and parts of it. */

export const home = '/home/x/aixcl';
export const now = new Date('2026-11-22T12:00:00Z');

/** So many days before `now`. */
export function daysAgo(days: number): Date {
  return new Date(now.getTime() - days * 86_400_000);
}

export function examined(own: Partial<Examined> = {}): Examined {
  return {
    now,
    home,
    engine: {
      answers: true,
      address: 'unix:///var/run/docker.sock',
      version: '28.5.2',
      apiVersion: '1.51',
      dockerElsewhere: null,
    },
    definition: null,
    otherHomes: [],
    folders: [
      {
        path: `${home}/models`,
        what: 'the models directory',
        state: 'usable',
        owner: 'x',
        user: 'x',
        neededBy: 'the container llama-server',
      },
    ],
    disks: [{ holds: ['models', 'the vault'], path: home, free: 500e9, total: 1000e9 }],
    vaultSharesDisk: false,
    ports: [],
    gpu: null,
    volumes: [ourVolume()],
    otherVolumes: [],
    hostStores: [],
    store: {
      place: `${home}/ollama/models`,
      unreadable: [],
      incomplete: [],
      orphans: { files: 0, bytes: 0 },
      partials: null,
    },
    vault: {
      path: `${home}/vault`,
      broken: [],
      damaged: [],
      damagedWhenSaved: [],
      snapshots: 2,
      unverified: 0,
      oldestVerification: daysAgo(1),
      quarantine: { files: 0, bytes: 0 },
      ingest: { files: 0, bytes: 0 },
      elsewhere: false,
    },
    backups: { uniqueWithout: [], pulledWithout: [], models: 2, newest: daysAgo(1) },
    leftovers: { helpers: [], unfinishedNames: false, interrupted: null, uploads: [] },
    services: [ourService()],
    images: { drifted: [], overridden: [] },
    unexamined: [],
    ...own,
  };
}

export function ourVolume(own: Partial<VolumeStatus> = {}): VolumeStatus {
  return {
    name: 'ollama',
    holds: 'models',
    heldBy: `folder ${home}/ollama`,
    exists: true,
    lastBackup: null,
    lostFolder: null,
    gone: false,
    hides: null,
    ...own,
  };
}

export function otherVolume(own: Partial<OtherVolume> = {}): OtherVolume {
  return {
    name: 'services_ollama',
    bytes: 2e9,
    models: 3,
    here: 0,
    broughtOver: false,
    missingBytes: null,
    taken: [],
    onlyThere: [],
    path: null,
    inEngine: true,
    heldBy: null,
    ...own,
  };
}

export function ourService(own: Partial<ServiceExamined> = {}): ServiceExamined {
  return {
    service: 'ollama',
    container: 'ollama',
    id: 'f00',
    state: 'running',
    health: 'healthy',
    matchedBy: 'labels',
    image: 'ollama:1',
    ports: [],
    status: 'Up 3 minutes (healthy)',
    condition: null,
    onlyRename: false,
    ...own,
  };
}
