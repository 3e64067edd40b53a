import { AixclError } from '../../../errors.ts';

/** The operation that a text names: its id, or a beginning or an end of it, as the table shows one. */
export function theOperation<T extends { readonly id: string }>(operations: readonly T[], text: string): T {
  const exact = operations.find(({ id }) => id === text);
  if (exact) return exact;
  const near = operations.filter(({ id }) => id.startsWith(text) || id.endsWith(text));
  const [only] = near;
  if (only && near.length === 1) return only;
  if (!only) {
    throw new AixclError('notFound', `the journal has no operation ${JSON.stringify(text)}`, {
      hint: 'aixcl journal --tail all',
    });
  }
  throw new AixclError('usage', `${near.length} operations could be ${JSON.stringify(text)}`, {
    hint: `aixcl journal ${only.id}`,
    evidence: near.map(({ id }) => id),
  });
}
