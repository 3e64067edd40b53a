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

/** How far an activation is: asked → loading → served, or gone back. */
export function courseOf(job: PageJob, activation: PageActivation): CourseStep[] {
  const step = (name: string, state: CourseStep['state']): CourseStep => ({ name, state });
  if (job.outcome === 'done') {
    const isServed = activation.active === job.target && activation.phase === 'ready';
    return [
      step('asked', 'done'),
      step('switching', isServed ? 'done' : 'next'),
      step('healthy', isServed ? 'done' : 'next'),
    ];
  }
  const taken = activation.loading === job.target && activation.phase !== 'ready';
  if (job.outcome === 'failed') {
    const hasGoneBack = activation.result === 'reverted' && activation.wanted === job.target;
    return [step('asked', 'done'), step(hasGoneBack ? 'gone back' : 'not done', 'failed')];
  }
  return [
    step('asked', taken ? 'done' : 'now'),
    step('switching', taken ? 'now' : 'next'),
    step('healthy', 'next'),
  ];
}
