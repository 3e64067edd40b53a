import type { PageState } from '../api.ts';
import { Machine } from './machine.tsx';
import { ModelsSection } from './models/models-section.tsx';
import { ServingPanel } from './models/serving-panel.tsx';
import { Command } from './parts/command.tsx';
import { useObserved } from './parts/observed.ts';
import type { Standing } from './server/connection.ts';
import { NoticeList } from './server/notices.tsx';
import { SnapshotsSection } from './snapshots/snapshots-section.tsx';
import { useTools } from './tools.ts';
import { UploadSection } from './upload/upload-section.tsx';

export function App() {
  const { connection, notices } = useTools();
  const state = useObserved(connection.state);
  const standing = useObserved(connection.standing);
  return (
    <>
      <header>
        <h1>aixcl</h1>
        <ConnectionLine standing={standing} />
      </header>
      <NoticeList notices={notices} />
      <main tabIndex={-1}>
        {standing === 'signedOut' && <SignedOut />}
        {state ? <All state={state} /> : standing === 'connecting' && <p class="muted">Looking…</p>}
      </main>
      <footer>
        <p>aixcl {state?.version}</p>
      </footer>
    </>
  );
}

function All({ state }: { readonly state: PageState }) {
  return (
    <>
      {state.busy !== null && <p class="at-work">Another aixcl is at work: {state.busy}</p>}
      {state.warnings.length > 0 && (
        <ul class="warnings" aria-label="Warnings">
          {state.warnings.map((warning) => (
            <li key={warning}>{warning}</li>
          ))}
        </ul>
      )}
      <ServingPanel state={state} />
      <UploadSection state={state} />
      <ModelsSection state={state} />
      <SnapshotsSection state={state} />
      <Machine state={state} />
    </>
  );
}

const lines: Readonly<Record<Standing, string>> = {
  connecting: 'Connecting',
  live: 'Live',
  lost: 'Connection lost. Trying again; what is shown may be old.',
  signedOut: 'Not signed in',
};

function ConnectionLine({ standing }: { readonly standing: Standing }) {
  return (
    <p class={`connection ${standing}`} role="status">
      {lines[standing]}
    </p>
  );
}

function SignedOut() {
  return (
    <div class="problem" role="alert">
      <p>
        <strong>This page is not signed in any more.</strong> Type this, and open the address that it prints.
        Uploads stay where they are.
      </p>
      <Command text="aixcl ui" />
    </div>
  );
}
