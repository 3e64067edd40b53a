import { Fragment } from 'preact';
import { useId, useState } from 'preact/hooks';
import type { PageJob, PageModel } from '../../api.ts';
import { activate } from '../actions.ts';
import { bytes, parameters, tokens } from '../parts/format.ts';
import { useObserved } from '../parts/observed.ts';
import { TableHead } from '../parts/table-head.tsx';
import { Time } from '../parts/time.tsx';
import { useTools } from '../tools.ts';
import { ModelDetails } from './model-details.tsx';
import { badgesOf, sourceOf } from './model-words.ts';

interface Listed {
  readonly labelledBy: string;
  readonly models: readonly PageModel[];
  readonly jobs: readonly PageJob[];
  readonly onRemove: (name: string) => void;
}

const titles = [
  'Name',
  'Architecture',
  'Parameters',
  'Quantization',
  'Context',
  'Size',
  'Source',
  'Last backup',
  '',
];

/** A table; on a narrow screen each row becomes a card, whose cells say themselves what they are. */
export function ModelTable({ labelledBy, models, jobs, onRemove }: Listed) {
  return (
    <table class="cards models" aria-labelledby={labelledBy}>
      <TableHead titles={titles} numbers={['Parameters', 'Context', 'Size']} />
      <tbody>
        {models.map((model) => (
          <ModelRow key={model.name} model={model} jobs={jobs} onRemove={onRemove} />
        ))}
      </tbody>
    </table>
  );
}

type Row = Pick<Listed, 'jobs' | 'onRemove'> & { readonly model: PageModel };

function ModelRow({ model, jobs, onRemove }: Row) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const { name, architecture, quantization, contextLength, size, source, lastBackup, damage } = model;
  return (
    <Fragment>
      <tr class={model.active ? 'active' : undefined}>
        <th scope="row">
          <span class="name">{name}</span>{' '}
          {badgesOf(model).map((badge) => (
            <span
              key={badge}
              class={`badge ${badge === 'damaged' ? 'bad' : badge === 'active' ? 'good' : ''}`}
            >
              {badge}
            </span>
          ))}
          {damage !== null && <span class="why">{damage}</span>}
        </th>
        <td data-label="Architecture">{architecture ?? '–'}</td>
        <td data-label="Parameters" class="number">
          {model.parameters ? parameters(model.parameters) : '–'}
        </td>
        <td data-label="Quantization">{quantization ?? '–'}</td>
        <td data-label="Context" class="number">
          {contextLength === null ? '–' : tokens(contextLength)}
        </td>
        <td data-label="Size" class="number">
          {bytes(size)}
        </td>
        <td data-label="Source">{sourceOf(source)}</td>
        <td data-label="Last backup">{lastBackup === null ? 'never' : <Time at={lastBackup} />}</td>
        <td class="actions">
          <Actions model={model} jobs={jobs} onRemove={onRemove} />
          <button
            type="button"
            class="quiet"
            aria-expanded={open}
            aria-controls={open ? id : undefined}
            aria-label={`Details of ${name}`}
            onClick={() => setOpen(!open)}
          >
            Details
          </button>
        </td>
      </tr>
      {open && (
        <tr class="details">
          <td colSpan={titles.length} id={id}>
            <ModelDetails model={model} />
          </td>
        </tr>
      )}
    </Fragment>
  );
}

function Actions({ model, jobs, onRemove }: Row) {
  const tools = useTools();
  const asking = useObserved(tools.work.asking).has(model.name);
  if (model.runtime === 'ollama') return null;
  const job = jobs.find(({ target, outcome }) => target === model.name && outcome === 'running');
  const busy = asking || job !== undefined;
  const [activates, deletes] = [
    job?.kind === 'activate' ? 'Activating…' : 'Activate',
    job?.kind === 'remove' ? 'Deleting…' : 'Delete',
  ];
  return (
    <>
      {model.notActivatable === null && !(model.active && model.standing === 'active') && (
        <button
          type="button"
          aria-label={`${activates} ${model.name}`}
          aria-disabled={busy}
          onClick={() => busy || activate(tools, model.name)}
        >
          {activates}
        </button>
      )}
      {model.notRemovable === null && (
        <button
          type="button"
          aria-label={`${deletes} ${model.name}`}
          aria-disabled={busy}
          onClick={() => busy || onRemove(model.name)}
        >
          {deletes}
        </button>
      )}
    </>
  );
}
