import type { Examined } from '../examined.ts';
import type { Finding } from '../finding.ts';

/** Whether the engine answers, and whether plain `docker` speaks to the same one. */
export function checkEngine({ engine }: Examined): Finding[] {
  if (!engine.answers) {
    return [
      {
        check: engine.rights ? 'engine-rights' : 'engine-unreachable',
        level: 'problem',
        what: engine.what,
        why: 'Nothing runs without the engine. Containers and volumes were not examined.',
        command: engine.command ?? 'docker version',
        fixable: false,
      },
    ];
  }
  return otherContext(engine);
}

type Answering = Extract<Examined['engine'], { answers: true }>;

function otherContext({ address, dockerElsewhere }: Answering): Finding[] {
  if (!dockerElsewhere) return [];
  const { context, address: theirs } = dockerElsewhere;
  return [
    {
      check: 'docker-context',
      level: 'note',
      what: `plain docker uses the context ${context} (${theirs}); this command looked at ${address}`,
      why: 'What docker ps shows there is another stack than the one that was examined here.',
      command: `aixcl doctor --context ${context}`,
      fixable: false,
    },
  ];
}
