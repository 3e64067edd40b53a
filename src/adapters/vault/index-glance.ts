import { readFile } from 'node:fs/promises';
import type { Snapshot } from '../../vault/snapshot.ts';
import { Layout } from './layout.ts';

export type Glance = Pick<Snapshot, 'subject' | 'created' | 'verified' | 'damage' | 'facts'>;

/**
 * What `index.json` alone says of each snapshot, by the annotations that are for a look at it (docs/vault.md): no manifest is read and nothing
 * is checked, as `stack status` is asked often. Nothing may rest on it. What can't be read has none.
 */
export async function glanceAtIndex(vault: string): Promise<Glance[]> {
  const text = await readFile(new Layout(vault).index, 'utf8').catch(() => '{}');
  try {
    const { manifests } = JSON.parse(text) as { manifests?: { annotations?: Record<string, string> }[] };
    return (manifests ?? []).flatMap(({ annotations = {} }) => glanceOf(annotations) ?? []);
  } catch {
    return [];
  }
}

function glanceOf(annotations: Record<string, string>): Glance | undefined {
  const said = (key: string) => annotations[`io.aixcl.${key}`];
  const [name, runtime, created, verified] = [
    said('model'),
    said('runtime'),
    // Of a deleted version: when its bytes were saved.
    said('saved') ?? said('created'),
    said('verified'),
  ];
  if (!name || !created || (runtime !== 'ollama' && runtime !== 'llama-server')) return undefined;
  return {
    subject: { runtime, name },
    created: new Date(created),
    verified: verified ? new Date(verified) : null,
    damage: said('damage') ?? null,
    facts: {},
  };
}
