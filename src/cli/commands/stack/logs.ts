import type { Arguments } from 'yargs';
import { AixclError } from '../../../errors.ts';
import type { LogLine } from '../../../stack/engine.ts';
import { refuseOtherHome } from '../../../stack/home-guard.ts';
import { identityOf } from '../../../stack/observe.ts';
import { theOne } from '../../../stack/recreate/mend.ts';
import type { Context } from '../../context.ts';
import { namesOf, toActOn } from './selection.ts';

/** `stack logs`: each line behind its service's name, in a colour of its own; a single service's lines as they are. */
export async function logs(context: Context, argv: Arguments): Promise<void> {
  const [engine, definition] = await Promise.all([context.engine(), context.definition()]);
  const containers = await engine.listContainers();
  refuseOtherHome(containers, context.home);
  const named = namesOf(argv);
  const found = toActOn(context, definition, argv).flatMap((service) => {
    const match = theOne(identityOf(definition, service), containers);
    if (match) return [{ service: service.name, container: match.container }];
    if (named.length === 0) return [];
    throw new AixclError('notFound', `${service.name} has no container, so it has no log`, {
      hint: `aixcl service start ${service.name}`,
    });
  });
  if (found.length === 0)
    throw new AixclError('notFound', 'the stack has no containers, so it has no log', {
      hint: 'aixcl stack start',
    });

  const options = {
    follow: argv.follow === true,
    tail: tailOf(argv.tail),
    since: typeof argv.since === 'string' ? argv.since : undefined,
    timestamps: argv.timestamps === true,
    signal: context.signal,
  };
  const width = Math.max(...found.map(({ service }) => service.length));
  const show = (service: string, index: number) => (line: LogLine) => {
    if (context.flags.format === 'json') {
      context.out.line(JSON.stringify({ type: 'log', service, stream: line.stream, text: line.text }));
    } else if (named.length === 1) context.out.line(line.text);
    else context.out.line(`${context.out.paint.tint(`${service.padEnd(width)} |`, index)} ${line.text}`);
  };
  await Promise.all(
    found.map(async ({ service, container }, index) => {
      const print = show(service, index);
      for await (const line of engine.logs(container.id, options)) print(line);
    }),
  );
}

/** `--tail N`, or `all`. */
function tailOf(value: unknown): number | undefined {
  if (value === undefined || value === 'all') return undefined;
  const lines = Number(value);
  if (Number.isInteger(lines) && lines >= 0) return lines;
  throw new AixclError('usage', `--tail "${value}" is not a number of lines`, {
    hint: '--tail 100, or --tail all',
  });
}
