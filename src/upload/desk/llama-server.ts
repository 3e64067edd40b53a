import type { Probed } from '../../adapters/service-probe.ts';
import { type Activation, activeModel } from '../../models/active-model.ts';
import type { PageService } from '../api.ts';

/** What llama-server's container is at: by its answer, and where there is none by what its entrypoint says. `probed` null: it was not asked yet. */
export function llamaServerHealth(probed: Probed | null, activation: Activation): PageService {
  const of = (health: PageService['health'], detail: string | null | undefined): PageService => ({
    name: 'llama-server',
    health,
    detail: detail ?? null,
  });
  if (probed === null) return of('loading', 'it is being asked');
  if (probed.kind === 'absent') return of('stopped', null);
  const { state } = activation;
  const active = activeModel(activation);
  const status = probed.kind === 'answers' ? probed.status : null;
  if (status === 200) return of('healthy', active);
  if (state?.phase === 'waiting') return of('waiting', state.reason);
  if (state?.phase === 'loading' || state?.phase === 'switching') return of('loading', state.model);
  if (status === 503) return of('loading', active);
  const why = probed.kind === 'silent' ? probed.why : `it answers with status ${status}`;
  return of('unhealthy', state?.reason ?? why);
}
