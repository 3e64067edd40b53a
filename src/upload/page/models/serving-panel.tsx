import type { PageState } from '../../api.ts';
import { Command } from '../parts/command.tsx';
import { Mark } from '../parts/mark.tsx';
import { Evidence } from '../parts/problem-text.tsx';
import { type CourseStep, courseOf, servingOf, setbackOf } from './serving.ts';

/** Milliseconds that the course of an activation stays after its end. */
const lately = 120_000;

/** What llama-server serves now, and how the last wish for another went. */
export function ServingPanel({ state }: { readonly state: PageState }) {
  const { activation, jobs, services, models } = state;
  const health = services.find(({ name }) => name === 'llama-server')?.health ?? 'stopped';
  const { tone, headline, detail, command } = servingOf(activation, health);
  const job = jobs.find(({ kind }) => kind === 'activate');
  const shown = job && (job.ended === null || Date.now() - Date.parse(job.ended) < lately) ? job : undefined;
  const setback = setbackOf(activation);
  const empty = models.length === 0 && health !== 'stopped';
  return (
    <section class="serving" aria-labelledby="serving">
      <h2 id="serving">Active model</h2>
      <p class="headline" role="status">
        <Mark tone={tone} /> <span>{headline}</span>
      </p>
      {detail !== null && <p>{empty ? 'Upload one to begin.' : detail}</p>}
      {command !== null && <Command text={command} />}
      {shown && <Course target={shown.target} steps={courseOf(shown, activation)} />}
      {setback !== null && (
        <div class="setback">
          <p>
            <strong>{setback}</strong> {activation.reason}
          </p>
          <Evidence lines={activation.log} />
        </div>
      )}
    </section>
  );
}

function Course({ target, steps }: { readonly target: string; readonly steps: readonly CourseStep[] }) {
  const spoken = { done: ', done', now: ', now', next: ', not yet', failed: '' };
  return (
    <ol class="course" aria-label={`Activation of ${target}`} aria-live="polite">
      {steps.map(({ name, state }) => (
        <li key={name} class={state} aria-current={state === 'now' ? 'step' : undefined}>
          {name}
          <span class="unseen">{spoken[state]}</span>
        </li>
      ))}
    </ol>
  );
}
