import { Command } from './command.tsx';

interface Listed {
  readonly commands: readonly { readonly what: string; readonly command: string }[];
}

/** What the page does not do, and the command line does. */
export function CommandList({ commands }: Listed) {
  if (commands.length === 0) return null;
  return (
    <dl class="commands">
      {commands.map(({ what, command }) => (
        <div key={command}>
          <dt>{what}</dt>
          <dd>
            <Command text={command} />
          </dd>
        </div>
      ))}
    </dl>
  );
}
