/** One value of a metrics document: where it stands (`eval.loss`), and what was written there, to the letter. */
export interface MetricValue {
  readonly name: string;
  readonly text: string;
}

/** All values of a JSON document, in order; numbers with every digit that they were written with. Empty for what is no JSON. */
export function metricValues(document: string): MetricValue[] {
  let root: unknown;
  try {
    root = JSON.parse(document.replace(/^\uFEFF/, '').replace(tokens, marked));
  } catch {
    return [];
  }
  const values: MetricValue[] = [];
  const stack: { readonly value: unknown; readonly name: string }[] = [{ value: root, name: '' }];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { value, name } = top;
    if (typeof value !== 'object' || value === null) {
      values.push({ name: name || 'value', text: shown(value) });
      continue;
    }
    const inner = Object.entries(value).map(([key, each]) => ({
      value: each as unknown,
      name: name === '' ? key : `${name}.${key}`,
    }));
    stack.push(...inner.reverse());
  }
  return values;
}

const tokens = /"(?:[^"\\]|\\.)*"|-?(?:\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|Infinity)|\bNaN\b/gs;
const mark = '\u0000';

/** A number becomes a text that begins with what no text of JSON can. */
function marked(token: string): string {
  return token.startsWith('"') ? token : JSON.stringify(mark + token);
}

function shown(value: unknown): string {
  return typeof value === 'string' && value.startsWith(mark)
    ? value.slice(mark.length)
    : JSON.stringify(value);
}
