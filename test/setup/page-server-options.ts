import { readFileSync } from 'node:fs';

/** Options and variables with which the image starts the page's server, from its Dockerfile. */
export function pageServerOptions(): { readonly argv: string[]; readonly env: Record<string, string> } {
  const text = readFileSync('services/upload-ui/Dockerfile', 'utf8');
  const [, entrypoint = '[]'] = /^ENTRYPOINT (\[.*\])$/m.exec(text) ?? [];
  const [, arenas = ''] = /^ENV MALLOC_ARENA_MAX=(\d+)$/m.exec(text) ?? [];
  return { argv: (JSON.parse(entrypoint) as string[]).slice(1, -1), env: { MALLOC_ARENA_MAX: arenas } };
}
