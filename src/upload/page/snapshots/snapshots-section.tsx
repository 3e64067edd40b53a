import { useState } from 'preact/hooks';
import type { PageJob, PageSnapshot, PageState } from '../../api.ts';
import { takeBack } from '../actions.ts';
import { Command } from '../parts/command.tsx';
import { TableHead } from '../parts/table-head.tsx';
import { Time } from '../parts/time.tsx';
import { useTools } from '../tools.ts';
import { RestoreDialog } from './restore-dialog.tsx';
import { SnapshotRow } from './snapshot-row.tsx';
import { byModel, type Group } from './snapshot-words.ts';

const titles = ['What', 'Made', 'Reason', 'Size', 'Verified', ''];

export function SnapshotsSection({ state }: { readonly state: PageState }) {
  const [back, setBack] = useState<PageSnapshot | null>(null);
  const { snapshots, jobs, undo } = state;
  return (
    <section aria-labelledby="snapshots">
      <h2 id="snapshots">Versions and backups</h2>
      {undo && <Undo undo={undo} jobs={jobs} />}
      {snapshots.length === 0 ? (
        <div class="empty">
          <p>Nothing is saved yet. What is deleted or replaced is saved by itself. To save all models now:</p>
          <Command text="aixcl backups create" />
        </div>
      ) : (
        <table class="cards snapshots" aria-labelledby="snapshots">
          <TableHead titles={titles} numbers={['Size']} />
          {byModel(snapshots).map((group) => (
            <Rows key={`${group.runtime}/${group.model}`} group={group} jobs={jobs} onRestore={setBack} />
          ))}
        </table>
      )}
      {back && <RestoreDialog snapshot={back} onClose={() => setBack(null)} />}
    </section>
  );
}

interface Listed {
  readonly group: Group;
  readonly jobs: readonly PageJob[];
  readonly onRestore: (snapshot: PageSnapshot) => void;
}

/** So many of a model are shown before somebody asks for the others. */
const few = 3;

function Rows({ group, jobs, onRestore }: Listed) {
  const [all, setAll] = useState(false);
  const { model, runtime, snapshots } = group;
  const shown = all ? snapshots : snapshots.slice(0, few);
  const more = snapshots.length - shown.length;
  return (
    <tbody>
      <tr class="group">
        <th scope="rowgroup" colSpan={titles.length}>
          {model} <span class="muted">{runtime}</span>
        </th>
      </tr>
      {shown.map((snapshot) => (
        <SnapshotRow key={snapshot.id} snapshot={snapshot} jobs={jobs} onRestore={onRestore} />
      ))}
      {more > 0 && (
        <tr class="more">
          <td colSpan={titles.length}>
            <button type="button" class="quiet" onClick={() => setAll(true)}>
              {more} more of {model}
            </button>
          </td>
        </tr>
      )}
    </tbody>
  );
}

type Last = Pick<PageState, 'jobs'> & { readonly undo: NonNullable<PageState['undo']> };

function Undo({ undo, jobs }: Last) {
  const tools = useTools();
  const runs = jobs.some(({ kind, outcome }) => kind === 'undo' && outcome === 'running');
  const { model, backup, created } = undo;
  return (
    <p class="undo">
      <span>
        Last taken away: <strong>{model}</strong>, <Time at={created} />.
      </span>
      <button
        type="button"
        aria-label={`${runs ? 'Undoing…' : 'Undo:'} ${model}`}
        aria-disabled={runs}
        onClick={() => runs || takeBack(tools, model, backup)}
      >
        {runs ? 'Undoing…' : 'Undo'}
      </button>
    </p>
  );
}
