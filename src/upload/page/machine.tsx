import type { PageService, PageState, Space } from '../api.ts';
import { bytes, percent } from './parts/format.ts';
import { Mark, type Tone } from './parts/mark.tsx';

const tones: Readonly<Record<PageService['health'], Tone>> = {
  healthy: 'good',
  loading: 'busy',
  waiting: 'idle',
  unhealthy: 'bad',
  stopped: 'idle',
};

const names: Readonly<Record<PageService['name'], string>> = {
  ollama: 'Ollama',
  'llama-server': 'llama-server',
};

/** Services and disks. */
export function Machine({ state }: { readonly state: PageState }) {
  const { models, vault, oneDisk } = state.space;
  return (
    <section class="machine" aria-labelledby="machine">
      <h2 id="machine">This machine</h2>
      <dl>
        {state.services.map(({ name, health, detail }) => (
          <div key={name}>
            <dt>{names[name]}</dt>
            <dd>
              <Mark tone={tones[health]} /> {health}
              {detail !== null && <span class="muted">, {detail}</span>}
            </dd>
          </div>
        ))}
        <Disk name={oneDisk ? 'Disk of models and vault' : 'Disk of the models'} space={models} />
        {!oneDisk && <Disk name="Disk of the vault" space={vault} />}
      </dl>
      {oneDisk && (
        <p class="muted">
          When this disk fails, models and backups are gone together: aixcl vault sync keeps a second vault.
        </p>
      )}
    </section>
  );
}

function Disk({ name, space }: { readonly name: string; readonly space: Space }) {
  const { free, total } = space;
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {bytes(free)} free of {bytes(total)}
        <span class="muted"> ({percent(total - free, total)} % used)</span>
      </dd>
    </div>
  );
}
