import { Command } from './command.tsx';

const command = /^(aixcl|docker|curl|sudo|ollama) /;

/** What to do next: a command that can be taken along, or words. */
export function Hint({ text }: { readonly text: string }) {
  return <p class="hint">{command.test(text) ? <Command text={text} /> : text}</p>;
}
