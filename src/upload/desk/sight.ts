import { join } from 'node:path';
import { LockHolder } from '../../adapters/lock-holder.ts';
import { modelsDirectoryAt } from '../../adapters/models-directory/directory.ts';
import { type Probed, probeService } from '../../adapters/service-probe.ts';
import { Layout } from '../../adapters/vault/layout.ts';
import type { Home } from '../../home.ts';
import type { Activation } from '../../models/active-model.ts';
import { lastBackups } from '../../models/last-backups.ts';
import { activeLink } from '../../models/model-name.ts';
import type { Vault } from '../../vault/vault.ts';
import type { PageJob, PageState, PageUpload } from '../api.ts';
import { describeActivation, describeGguf, describeOllama } from './describe.ts';
import { ggufModels, type SeenModels } from './gguf-models.ts';
import { llamaServerHealth } from './llama-server.ts';
import { markOf } from './marks.ts';
import { ollamaLook, type SeenOllama, unaskedOllama } from './ollama.ts';
import { type Looking, Part } from './part.ts';
import { SlowPart } from './slow-part.ts';
import { type SeenVault, vaultContents } from './snapshots.ts';
import { spaceOf } from './space.ts';

/** Where the stack's services are to be had from here. */
export interface Addresses {
  /** `http://ollama:11434`. */
  readonly ollama: string;
  /** `http://llama-server:8080`. */
  readonly llamaServer: string;
}

export interface SightPorts {
  readonly version: string;
  readonly home: Home;
  readonly vault: Vault;
  readonly addresses: Addresses;
  uploads(): Promise<readonly PageUpload[]>;
  jobs(): readonly PageJob[];
  warnings(): readonly string[];
  /** Called when something changed that nobody looked for just now. */
  changed(): void;
}

/** How often the services are asked, in milliseconds. */
const servicesEveryMs = 3000;
/** How long somebody who asks but once waits for them: the engine's DNS takes two seconds to know no such name, where it can ask no other. */
const servicesPatienceMs = 2500;
/** An upload without a byte for so many milliseconds is at rest. */
const receivingMs = 5000;

/**
 * How much is looked at. `quick`: what changes several times a second while something is going on. `fresh`: all, services too, which else are
 * shown as they were last seen until they have answered.
 */
export type Scope = 'quick' | 'all' | 'fresh';

/** All that the page shows, as far as it was looked at. */
export class Sight {
  readonly #ports: SightPorts;
  readonly #models: Part<SeenModels>;
  readonly #activation: Part<Activation>;
  readonly #vault: Part<SeenVault>;
  readonly #uploads: Part<readonly PageUpload[]>;
  readonly #busy: Part<string | null>;
  readonly #space: Part<PageState['space']>;
  readonly #llamaServer: SlowPart<Probed | null>;
  readonly #ollama: SlowPart<SeenOllama>;
  #version = 0;
  #turn: Promise<void> = Promise.resolve();

  constructor(ports: SightPorts) {
    const { home, vault, addresses } = ports;
    const directory = modelsDirectoryAt(home.models);
    const layout = new Layout(home.vault);
    const holder = new LockHolder(layout.lock);
    this.#ports = ports;
    this.#models = new Part(ggufModels(directory));
    this.#activation = new Part(activationOf(home.models, () => directory.activation()));
    this.#vault = new Part(vaultContents(vault, layout.index));
    this.#uploads = new Part(always([], () => ports.uploads()));
    this.#busy = new Part(always(null, () => holder.look()));
    this.#space = new Part(spaceOf(home));
    const probe = () => probeService(addresses.llamaServer, '/health');
    this.#llamaServer = new SlowPart<Probed | null>(null, servicesEveryMs, probe);
    this.#ollama = new SlowPart(unaskedOllama, servicesEveryMs, ollamaLook(addresses.ollama));
  }

  /** Grows with each change that was seen. */
  get version(): number {
    return this.#version;
  }

  async refresh(scope: Scope): Promise<void> {
    // One look at the disk at a time; nobody waits for a service in that line.
    this.#turn = this.#turn.then(() => this.#refreshParts(scope));
    await Promise.all([this.#turn, this.#refreshServices(scope)]);
  }

  /** True while bytes come, or came a moment ago, and while they are checked. */
  get isReceiving(): boolean {
    const since = Date.now() - receivingMs;
    return this.#uploads.value.some(
      ({ phase, touched }) => phase === 'checking' || (phase === 'receiving' && Date.parse(touched) > since),
    );
  }

  state(): PageState {
    const activation = this.#activation.value;
    const { snapshots, shown, undo } = this.#vault.value;
    const { service: ollama, models } = this.#ollama.value;
    const lastBackup = lastBackups(snapshots);
    const served = llamaServerHealth(this.#llamaServer.value, activation);
    return {
      version: this.#ports.version,
      models: [
        ...this.#models.value.models.map((model) => describeGguf(model, activation, lastBackup)),
        ...models.map((model) => describeOllama(model, lastBackup)),
      ],
      unusable: this.#models.value.unusable,
      activation: describeActivation(activation, served.health !== 'stopped'),
      services: [served, ollama],
      space: this.#space.value,
      uploads: this.#uploads.value,
      snapshots: shown,
      jobs: this.#ports.jobs(),
      undo,
      busy: this.#busy.value,
      warnings: this.#warnings(),
    };
  }

  async #refreshParts(scope: Scope): Promise<void> {
    const quick = [this.#uploads, this.#activation];
    const parts = scope === 'quick' ? quick : [...quick, this.#models, this.#vault, this.#busy, this.#space];
    const changed = await Promise.all(parts.map((part) => part.refresh()));
    if (changed.includes(true)) this.#version += 1;
  }

  async #refreshServices(scope: Scope): Promise<void> {
    const changed = () => {
      this.#version += 1;
      this.#ports.changed();
    };
    const patienceMs = scope === 'fresh' ? servicesPatienceMs : 0;
    await Promise.all([this.#llamaServer, this.#ollama].map((part) => part.refresh(patienceMs, changed)));
  }

  #warnings(): string[] {
    const told = (what: string, { problem }: Part<unknown>) =>
      problem === null ? [] : [`${what}: ${problem}`];
    return [
      ...told('Models are not shown', this.#models),
      ...told('Which model is active is not shown', this.#activation),
      ...told('Backups are not shown', this.#vault),
      ...told('Uploads are not shown', this.#uploads),
      ...told('Free space is not shown', this.#space),
      ...this.#activation.value.problems,
      ...this.#vault.value.broken.map(
        ({ name, why }) =>
          `the record ${name} can't be read: ${why}; nothing is deleted from the vault meanwhile`,
      ),
      ...this.#ports.warnings(),
    ];
  }
}

/** What is as cheap to look at as to mark. */
function always<T>(empty: T, look: () => Promise<T>): Looking<T> {
  let looks = 0;
  return { empty, mark: async () => String(looks++), look };
}

function activationOf(models: string, look: () => Promise<Activation>): Looking<Activation> {
  const own = ['state', 'request', 'request.taken'].map((name) => join(models, '.aixcl', name));
  const files = [...own, join(models, '.active_model'), join(models, activeLink)];
  return {
    empty: { state: undefined, request: undefined, linked: undefined, written: undefined, problems: [] },
    // The folder too: the link may lead to a name that went.
    mark: () => markOf(models, ...files),
    look,
  };
}
