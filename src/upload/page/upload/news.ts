import type { PageUpload, UploadPhase } from '../../api.ts';
import { phaseText } from './upload-words.ts';

export type Phases = ReadonlyMap<string, UploadPhase>;

/** What is said of uploads, and the phases that it is true of. */
export interface News {
  readonly text: string;
  readonly of: Phases;
}

export const noNews: News = { text: '', of: new Map() };

export function phasesOf(uploads: readonly PageUpload[]): Phases {
  return new Map(uploads.map(({ id, phase }) => [id, phase]));
}

/**
 * Said once: what an upload waits for, or that it was refused. Its bytes are not, as they change all the time. `last` stands while it is true of
 * every upload that it is about.
 */
export function newsOf(uploads: readonly PageUpload[], before: Phases, last: News): News {
  const news = uploads.filter(
    ({ id, phase }) => (before.get(id) ?? phase) !== phase && phase !== 'receiving' && phase !== 'checking',
  );
  if (news.length > 0) {
    const text = news.map((upload) => `${upload.file}: ${phaseText(upload, 'here')}`).join(' ');
    return { text, of: phasesOf(news) };
  }
  const now = phasesOf(uploads);
  return [...last.of].every(([id, phase]) => now.get(id) === phase) ? last : noNews;
}
