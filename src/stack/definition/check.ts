import type * as z from 'zod/mini';
import { nearest } from '../../nearest.ts';
import { type MapNode, type Node, type Position, scalar, toPlain } from './node.ts';
import type { Problems } from './problems.ts';
import { composeSchema } from './schema.ts';
import { supportedKeys, unsupported } from './suggest.ts';

/**
 * Checks one interpolated file against the schema: unknown keys and wrong types become problems at their own place.
 * Keys that begin with `x-` are anyone's, wherever Compose lets them stand.
 */
export function checkShape(root: MapNode, problems: Problems): void {
  const schema = composeSchema();
  const checked = schema.safeParse(toPlain(root));
  if (checked.success) return;
  for (const issue of checked.error.issues.flatMap((found) => leaves(found, []))) {
    const { node, key } = locate(root, issue.path);
    if (issue.unknownKey === undefined) {
      problems.add(node.at, `${issue.message}, not ${describe(node)}`, issue.hint);
      continue;
    }
    const at = node.kind === 'map' ? node.entries.get(issue.unknownKey)?.key : key;
    const [message, hint] = unknownKey(issue.unknownKey, supportedKeys(schema, issue.path));
    problems.add(at ?? node.at, message, hint);
  }
}

interface Leaf {
  readonly path: readonly PropertyKey[];
  readonly unknownKey?: string;
  readonly message: string;
  readonly hint?: string;
}

/** The issues that say what is wrong: those of the branch of a union that was meant, judged by the type of the value. */
function leaves(issue: z.core.$ZodIssue, above: readonly PropertyKey[]): Leaf[] {
  const path = [...above, ...issue.path];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys
        .filter((key) => !key.startsWith('x-'))
        .map((key) => ({ path, unknownKey: key, message: '' }));
    case 'invalid_union': {
      const branches = issue.errors.map((errors) => errors.flatMap((error) => leaves(error, path)));
      if (branches.some((branch) => branch.length === 0)) return [];
      const meant = branches.filter(
        (branch) => !branch.some((leaf) => leaf.path.length === path.length && leaf.unknownKey === undefined),
      );
      if (meant.length > 0) return meant.toSorted((a, b) => a.length - b.length)[0]!;
      const expected = new Set(branches.flat().map((leaf) => leaf.message.replace('must be ', '')));
      return [{ path, message: `must be ${[...expected].join(' or ')}` }];
    }
    case 'invalid_value':
      return [{ path, message: `must be ${issue.values.map((value) => `"${String(value)}"`).join(' or ')}` }];
    case 'invalid_type':
      return [{ path, message: `must be ${typeNames[issue.expected] ?? issue.expected}` }];
    default:
      return [{ path, message: `is wrong (${issue.code})` }];
  }
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
  null: 'empty',
};

function describe(node: Node): string {
  if (node.kind === 'list') return 'a list';
  if (node.kind === 'map') return 'a mapping';
  if (node.value === null) return 'empty';
  if (typeof node.value === 'string') return `"${node.value}"`;
  return typeof node.value === 'number' ? `the number ${node.text}` : node.text;
}

function unknownKey(key: string, known: readonly string[]): [message: string, hint: string | undefined] {
  const reason = unsupported(key);
  if (reason) return [reason, undefined];
  const guess = nearest(key, known);
  if (guess) return ['unknown key', `did you mean "${guess}"?`];
  return ['unknown key', known.length > 0 ? `known here: ${known.join(', ')}` : undefined];
}

function locate(root: Node, path: readonly PropertyKey[]): { node: Node; key: Position | undefined } {
  let node = root;
  let key: Position | undefined;
  for (const part of path) {
    if (node.kind === 'map') {
      const entry = node.entries.get(String(part));
      if (!entry) break;
      key = entry.key;
      node = entry.value;
    } else if (node.kind === 'list') {
      node = node.items[Number(part)] ?? scalar(null, node.at);
    }
  }
  return { node, key };
}
