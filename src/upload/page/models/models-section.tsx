import { useState } from 'preact/hooks';
import type { PageModel, PageService, PageState } from '../../api.ts';
import { Command } from '../parts/command.tsx';
import { ModelTable } from './model-table.tsx';
import { RemovalDialog } from './removal-dialog.tsx';

export function ModelsSection({ state }: { readonly state: PageState }) {
  const [going, setGoing] = useState<string | null>(null);
  const of = (runtime: PageModel['runtime']) => state.models.filter((model) => model.runtime === runtime);
  const [ggufs, pulled] = [of('llama-server'), of('ollama')];
  return (
    <section aria-labelledby="models">
      <h2 id="models">Models</h2>
      <h3 id="llama-server-models">llama-server</h3>
      {ggufs.length > 0 ? (
        <ModelTable labelledBy="llama-server-models" models={ggufs} jobs={state.jobs} onRemove={setGoing} />
      ) : (
        <p class="empty">No model yet. Upload a GGUF file above.</p>
      )}
      <Unusable entries={state.unusable} />
      <h3 id="ollama-models">Ollama</h3>
      {pulled.length > 0 ? (
        <ModelTable labelledBy="ollama-models" models={pulled} jobs={state.jobs} onRemove={setGoing} />
      ) : (
        <NothingInOllama service={state.services.find(({ name }) => name === 'ollama')} />
      )}
      {going !== null && <RemovalDialog name={going} onClose={() => setGoing(null)} />}
    </section>
  );
}

function NothingInOllama({ service }: { readonly service: PageService | undefined }) {
  if (!service || service.health === 'stopped') {
    return (
      <div class="empty">
        <p>Ollama is stopped. To start it:</p>
        <Command text="aixcl service start ollama" />
      </div>
    );
  }
  return (
    <div class="empty">
      <p>No model in Ollama. To bring one in:</p>
      <Command text="aixcl models add llama3.2:1b" />
    </div>
  );
}

function Unusable({ entries }: { readonly entries: PageState['unusable'] }) {
  if (entries.length === 0) return null;
  return (
    <details class="unusable">
      <summary>Also in the folder, and no model ({entries.length})</summary>
      <ul>
        {entries.map(({ name, why }) => (
          <li key={name}>
            <strong>{name}</strong>: {why}
          </li>
        ))}
      </ul>
    </details>
  );
}
