import type { PageActivation, PageJob, PageService } from '../../api.ts';

/** What llama-server does, in words. `tone` goes with a mark of its own shape. */
export interface Serving {
  readonly tone: 'good' | 'busy' | 'idle' | 'bad';
  readonly headline: string;
  readonly detail: string | null;
  readonly command: string | null;
}

export function servingOf(activation: PageActivation, health: PageService['health']): Serving {
  const { active, phase, loading, reason } = activation;
  const serving = (tone: Serving['tone'], headline: string, detail?: string | null, command?: string) => {
    return { tone, headline, detail: detail ?? null, command: command ?? null };
  };
  if (health === 'stopped') {
    const next = onStart(activation);
    return serving('idle', 'llama-server is stopped', next, 'aixcl service start llama-server');
  }
  switch (phase) {
    case 'loading':
      return serving('busy', `${loading ?? 'A model'} is loading`);
    case 'switching': {
      const back =
        active !== null && active !== loading ? `If it does not come up, ${active} is served again.` : null;
      return serving('busy', `${loading ?? 'A model'} is loading`, back);
    }
    case 'waiting':
      return serving('idle', 'llama-server waits for a model', 'Upload one, or activate one below.');
    case 'failed':
      return serving('bad', 'No model loads', reason, 'aixcl service logs llama-server');
    case 'ready':
      return health === 'unhealthy'
        ? serving('bad', 'llama-server does not answer', null, 'aixcl service logs llama-server')
        : serving('good', `${active} is served`);
    case null:
      return serving(
        'idle',
        'llama-server has not said yet what it serves',
        null,
        'aixcl service logs llama-server',
      );
  }
}

function onStart({ active, wanted, result }: PageActivation): string | null {
  if (wanted !== null && wanted !== active && (result === null || result === 'pending')) {
    return `${wanted} is tried when it starts.`;
  }
  return active === null ? null : `${active} is served when it starts.`;
}

/** How the last wish ended badly; null: it did not. */
export function setbackOf(activation: PageActivation): string | null {
  const { active, wanted, result, phase } = activation;
  if (result !== 'reverted' && result !== 'refused') return null;
  const end = result === 'refused' ? 'was refused' : 'did not come up';
  const how = result === 'refused' ? 'still served' : 'served again';
  const now = phase === 'ready' && active !== null && active !== wanted ? `; ${active} is ${how}` : '';
  return `${wanted ?? 'A model'} ${end}${now}.`;
}

export interface CourseStep {
  readonly name: string;
  readonly state: 'done' | 'now' | 'next' | 'failed';
}

/** How far an activation is: asked → loading → served, or gone back. What is tried only at llama-server's next start goes on after its job. */
export function courseOf({ target, outcome }: PageJob, activation: PageActivation): CourseStep[] {
  const { active, loading, phase, reason, result, wanted } = activation;
  const step = (name: string, state: CourseStep['state']): CourseStep => ({ name, state });
  const end = outcome === 'running' || wanted !== target ? null : result;
  // A wish has a reason before it has a result once it failed, and what was served is being loaded.
  const isGoingBack =
    wanted === target && result === 'pending' && reason !== null && loading !== null && loading !== target;
  if (isGoingBack) return [step('asked', 'done'), step('gone back', 'now')];
  if (end === 'reverted') return [step('asked', 'done'), step('gone back', 'failed')];
  if (end === 'refused' || outcome === 'failed') return [step('asked', 'done'), step('not done', 'failed')];
  const isServed = outcome === 'done' && active === target && (phase === 'ready' || end === 'applied');
  if (isServed) return [step('asked', 'done'), step('switching', 'done'), step('healthy', 'done')];
  const isTaken = loading === target && phase !== 'ready';
  return [
    step('asked', isTaken || outcome === 'done' ? 'done' : 'now'),
    step('switching', isTaken ? 'now' : 'next'),
    step('healthy', 'next'),
  ];
}
