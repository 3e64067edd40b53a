import type { PageJob, PageSnapshot } from '../api.ts';
import type { Tools } from './tools.ts';

/** What the page has done by its server, each with what is said when it is done. */

/** That it is served stands above the list; what else came of it is said. */
export function activate({ work, connection }: Tools, name: string): void {
  void work.begin(name, `/api/models/${encodeURIComponent(name)}/activate`, {
    failed: `${name} is not active`,
    done: ({ detail }) => {
      const { active, phase } = connection.state.value!.activation;
      const isServed = active === name && phase === 'ready';
      return isServed || detail === null ? null : { text: sentence(`${name}: ${detail}`) };
    },
  });
}

export function remove(tools: Tools, name: string): void {
  const path = `/api/models/${encodeURIComponent(name)}`;
  const asked = {
    failed: `${name} is not deleted`,
    done: ({ backup }: PageJob) => {
      if (backup === null) return { text: `${name} is deleted.` };
      const run = () => takeBack(tools, name, backup);
      return { text: `${name} is deleted, and kept as backup ${backup}.`, action: { label: 'Undo', run } };
    },
  };
  void tools.work.begin(name, path, asked, 'DELETE');
}

/** By `undo` while it would take back this very one; another removal may have come between. */
export function takeBack(tools: Tools, name: string, backup: string): void {
  const isLast = tools.connection.state.value?.undo?.backup === backup;
  const path = `/api/backups/${encodeURIComponent(backup)}/${isLast ? 'undo' : 'restore'}`;
  void tools.work.begin(name, path, {
    failed: `${name} is not back`,
    done: () => ({ text: `${name} is back.` }),
  });
}

export function restore({ work }: Tools, { id, model }: PageSnapshot): void {
  void work.begin(id, `/api/backups/${encodeURIComponent(id)}/restore`, {
    failed: `${model} is not restored`,
    done: ({ detail }) => ({ text: sentence(`${model} is restored${detail ? `: ${detail}` : ''}`) }),
  });
}

export function verify({ work }: Tools, { id }: PageSnapshot): void {
  void work.begin(id, `/api/backups/${encodeURIComponent(id)}/verify`, {
    failed: `${id} is not verified`,
    done: ({ detail }) => ({ text: sentence(`${id}: ${detail ?? 'every byte is right'}`) }),
  });
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
