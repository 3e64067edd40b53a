/**
 * JSON as training code writes it: `NaN`, `Infinity` and `-Infinity` are numbers, as Python's `json.dump` has them. Throws `SyntaxError` for
 * anything else that is no JSON.
 */
export function parseLooseJson(text: string): unknown {
  const plain = text.replace(/^\uFEFF/, '');
  try {
    return JSON.parse(plain);
  } catch (error) {
    if (!/NaN|Infinity/.test(plain)) throw error;
    const marked = plain.replace(tokens, (token) => words.get(token) ?? token);
    return JSON.parse(marked, (_key, value: unknown) =>
      typeof value === 'string' && value.startsWith(mark) ? Number(value.slice(mark.length)) : value,
    );
  }
}

/** Texts whole, so that nothing is found inside them. */
const tokens = /"(?:[^"\\]|\\.)*"|-?Infinity\b|\bNaN\b/gs;
const mark = '\u0000number ';
const words: ReadonlyMap<string, string> = new Map(
  ['NaN', 'Infinity', '-Infinity'].map((word) => [word, JSON.stringify(mark + word)]),
);
