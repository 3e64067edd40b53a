/** A reason why a text can't be interpolated, for the caller to place. */
export class InterpolationError extends Error {}

export interface Variables {
  /** Undefined: not set. */
  get(name: string): string | undefined;
  /** Told of each variable that is not set where nothing stands in for it. */
  missing?(name: string): void;
}

const operators = [':-', ':?', ':+', '-', '?', '+'] as const;

/**
 * Replaces `$VAR`, `${VAR}` and `${VAR<operator>WORD}` as Compose does: `:-` and `-` (default), `:?` and `?` (required, WORD is the
 * reason), `:+` and `+` (replacement); with a colon an empty value counts as not set. WORD is interpolated itself. `$$` is `$`.
 * A `$` before anything else stays.
 * @throws InterpolationError
 */
export function interpolate(template: string, variables: Variables): string {
  let result = '';
  let rest = template;
  for (;;) {
    const dollar = rest.indexOf('$');
    if (dollar < 0) return result + rest;
    result += rest.slice(0, dollar);
    rest = rest.slice(dollar + 1);
    const name = /^[_a-z][_a-z0-9]*/i.exec(rest)?.[0];
    if (rest.startsWith('$')) {
      result += '$';
      rest = rest.slice(1);
    } else if (name) {
      result += plain(name, variables);
      rest = rest.slice(name.length);
    } else if (rest.startsWith('{')) {
      const end = closingBrace(rest);
      if (end < 0) throw invalid(template);
      result += braced(rest.slice(1, end), template, variables);
      rest = rest.slice(end + 1);
    } else {
      result += '$';
    }
  }
}

function braced(expression: string, template: string, variables: Variables): string {
  const name = /^[_a-z][_a-z0-9]*/i.exec(expression)?.[0];
  if (!name) throw invalid(template);
  const tail = expression.slice(name.length);
  if (tail === '') return plain(name, variables);
  const operator = operators.find((candidate) => tail.startsWith(candidate));
  if (!operator) throw invalid(template);
  const word = tail.slice(operator.length);
  const value = variables.get(name);
  const present = value !== undefined && (value !== '' || !operator.startsWith(':'));
  switch (operator.at(-1)) {
    case '-':
      return present ? value : interpolate(word, variables);
    case '+':
      return present ? interpolate(word, variables) : (value ?? '');
    default: {
      if (present) return value;
      const reason = interpolate(word, variables);
      throw new InterpolationError(
        `required variable ${name} is missing a value${reason ? `: ${reason}` : ''}`,
      );
    }
  }
}

function plain(name: string, variables: Variables): string {
  const value = variables.get(name);
  if (value === undefined) variables.missing?.(name);
  return value ?? '';
}

/** Index of the brace that closes the one `text` begins with; -1: none. Braces nest, with or without a `$`. */
function closingBrace(text: string): number {
  let depth = 0;
  for (let index = 0; index < text.length; index++) {
    if (text[index] === '{') depth++;
    else if (text[index] === '}' && --depth === 0) return index;
  }
  return -1;
}

function invalid(template: string): InterpolationError {
  return new InterpolationError(
    `invalid interpolation in ${JSON.stringify(template)}; a $ that is meant as such is written $$`,
  );
}
