import { useId } from 'preact/hooks';
import type { PageState } from '../../api.ts';
import { bytes, bytesOf } from '../parts/format.ts';
import { type Draft, type Faults, nameFault, nameLike, sha256Of, type Taker, takerOf } from './draft.ts';

interface Asked {
  readonly draft: Draft<File>;
  readonly faults: Faults;
  readonly state: PageState;
  readonly onChange: (draft: Draft<File>) => void;
  readonly onSplit: () => void;
}

/** One model that is about to be uploaded. */
export function DraftFields({ draft, faults, state, onChange, onSplit }: Asked) {
  const { proposal } = draft;
  const isFile = proposal.kind === 'file';
  const wrong = isFile ? nameFault(proposal.name, true) : null;
  const taker = wrong === null ? takerOf(draft, draft.name, state) : null;
  const missing = proposal.parts - proposal.files.length;
  return (
    <fieldset class="draft">
      <legend>{isFile ? proposal.name : 'One model of several files'}</legend>
      <ul class="files">
        {proposal.files.map((file) => (
          <li key={file.name}>
            {!isFile && `${nameLike(file.name, true)}, `}
            {bytes(file.size)}
          </li>
        ))}
      </ul>
      {missing > 0 && (
        <p>
          {proposal.files.length} of {proposal.parts} parts. It becomes a model when the others are here.
        </p>
      )}
      {!isFile && (
        <Field
          label="Name of the model"
          value={draft.name}
          fault={faults.name}
          onInput={(name) => onChange({ ...draft, name })}
        />
      )}
      {proposal.kind === 'pair' && (
        <button type="button" class="small" onClick={onSplit}>
          Upload as two models
        </button>
      )}
      {wrong !== null && (
        <>
          <p class="fault">No model can have this name: {wrong}.</p>
          <Field
            label="Other name"
            value={draft.newName}
            fault={faults.name}
            onInput={(newName) => onChange({ ...draft, newName })}
          />
        </>
      )}
      {taker && <Taken draft={draft} taker={taker} faults={faults} onChange={onChange} />}
      <details open={faults.sha256 !== undefined}>
        <summary>Check against a sha256</summary>
        {proposal.files.map((file) => (
          <Field
            key={file.name}
            label={`sha256 of ${file.name}, as its publisher gives it`}
            value={sha256Of(draft, file)}
            fault={faults.sha256?.[file.name]}
            onInput={(digest) => onChange({ ...draft, sha256: { ...draft.sha256, [file.name]: digest } })}
          />
        ))}
      </details>
    </fieldset>
  );
}

type Choice = Pick<Asked, 'draft' | 'faults' | 'onChange'> & { readonly taker: Taker };

function Taken({ draft, taker, faults, onChange }: Choice) {
  const name = useId();
  const fault = useId();
  const choices = [
    ...(taker.kind === 'model' && !taker.model.active
      ? [['replace', 'Replace it. The one that is there is kept as a backup.'] as const]
      : []),
    ['rename', 'Upload it under another name.'] as const,
    ['skip', 'Do not upload it.'] as const,
  ];
  return (
    <fieldset class="taken" aria-describedby={faults.answer ? fault : undefined}>
      <legend>{takenText(draft.name, taker)}</legend>
      {choices.map(([answer, label], index) => (
        <label key={answer} class="choice">
          <input
            type="radio"
            name={name}
            checked={draft.answer === answer}
            data-fault={index === 0 && faults.answer ? '' : undefined}
            onChange={() => onChange({ ...draft, answer })}
          />
          <span>{label}</span>
        </label>
      ))}
      {faults.answer && (
        <p id={fault} class="fault">
          Please {faults.answer}.
        </p>
      )}
      {draft.answer === 'rename' && (
        <Field
          label="Other name"
          value={draft.newName}
          fault={faults.name}
          onInput={(newName) => onChange({ ...draft, newName })}
        />
      )}
    </fieldset>
  );
}

function takenText(name: string, taker: Taker): string {
  switch (taker.kind) {
    case 'model':
      return taker.model.active
        ? `${name} is there already, and active: to replace it, activate another first.`
        : `${name} is there already, with ${bytes(taker.model.size)}.`;
    case 'entry':
      return `${name} is there already, and is no model: ${taker.why}.`;
    case 'upload':
      return `An upload of ${name} is under way, with ${bytesOf(taker.upload.received, taker.upload.size)}.`;
  }
}

interface Text {
  readonly label: string;
  readonly value: string;
  readonly fault: string | undefined;
  readonly onInput: (value: string) => void;
}

function Field({ label, value, fault, onInput }: Text) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="text"
        value={value}
        spellcheck={false}
        autocomplete="off"
        autocapitalize="off"
        aria-invalid={fault !== undefined}
        aria-describedby={fault ? `${id}-fault` : undefined}
        data-fault={fault ? '' : undefined}
        onInput={({ currentTarget }) => onInput(currentTarget.value)}
      />
      {fault && (
        <p id={`${id}-fault`} class="fault">
          This can't be: {fault}.
        </p>
      )}
    </div>
  );
}
