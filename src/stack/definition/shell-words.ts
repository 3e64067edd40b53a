/**
 * The words of a command line as a shell splits them, with quotes and backslashes and without expanding anything.
 * Answers a reason (a string) where it is no plain command: a quote left open, or an operator that would need a shell.
 */
export function splitWords(line: string): string[] | string {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let index = 0; index < line.length; index++) {
    const char = line[index]!;
    if (char === '\\' && quote !== "'") {
      word = (word ?? '') + (line[++index] ?? '');
    } else if (quote) {
      if (char === quote) quote = '';
      else word = (word ?? '') + char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (';&|<>'.includes(char)) {
      // Compose drops the rest of the line in silence.
      return `"${char}" needs a shell: write ["sh", "-c", "…"]`;
    } else {
      word = (word ?? '') + char;
    }
  }
  if (quote) return `a ${quote} that is not closed`;
  if (word !== undefined) words.push(word);
  return words;
}
