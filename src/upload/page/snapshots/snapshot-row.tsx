import type { PageJob, PageSnapshot } from '../../api.ts';
import { verify } from '../actions.ts';
import { CommandList } from '../parts/command-list.tsx';
import { bytes } from '../parts/format.ts';
import { useObserved } from '../parts/observed.ts';
import { Progress } from '../parts/progress.tsx';
import { Time } from '../parts/time.tsx';
import { useTools } from '../tools.ts';
import { kindOf } from './snapshot-words.ts';

interface Row {
  readonly snapshot: PageSnapshot;
  readonly jobs: readonly PageJob[];
  readonly onRestore: (snapshot: PageSnapshot) => void;
}

export function SnapshotRow({ snapshot, jobs, onRestore }: Row) {
  const tools = useTools();
  const asking = useObserved(tools.work.asking).has(snapshot.id);
  const { id, created, reason, size, verified, damage, notRestorable, commands } = snapshot;
  const job = jobs.find(({ target, outcome }) => target === id && outcome === 'running');
  const busy = asking || job !== undefined;
  const restores = job?.kind === 'restore' ? 'Restoring…' : 'Restore';
  return (
    <tr>
      <th scope="row">
        <span>{kindOf(snapshot)}</span> <code class="id">{id}</code>
        {damage !== null && (
          <>
            {' '}
            <span class="badge bad">damaged</span> <span class="why">{damage}</span>
          </>
        )}
      </th>
      <td data-label="Made">
        <Time at={created} />
      </td>
      <td data-label="Reason">{reason || '–'}</td>
      <td data-label="Size" class="number">
        {bytes(size)}
      </td>
      <td data-label="Verified">
        {job?.kind === 'verify' ? (
          <Verifying job={job} />
        ) : verified === null ? (
          'never'
        ) : (
          <Time at={verified} />
        )}
      </td>
      <td class="actions">
        {notRestorable === null && (
          <button
            type="button"
            aria-label={`${restores} ${id}`}
            aria-disabled={busy}
            onClick={() => busy || onRestore(snapshot)}
          >
            {restores}
          </button>
        )}
        <button
          type="button"
          class="quiet"
          aria-label={`Verify ${id}`}
          aria-disabled={busy}
          onClick={() => busy || verify(tools, snapshot)}
        >
          Verify
        </button>
        {(notRestorable !== null || commands.length > 0) && (
          <details class="elsewhere">
            <summary>In a terminal</summary>
            {notRestorable !== null && <p>{notRestorable}</p>}
            <CommandList commands={commands} />
          </details>
        )}
      </td>
    </tr>
  );
}

function Verifying({ job }: { readonly job: PageJob }) {
  const { target, done, total } = job;
  if (done === null || total === null) return <>verifying</>;
  return <Progress label={`Verifying ${target}`} done={done} total={total} />;
}
