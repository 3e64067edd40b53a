import type { Examined } from '../examined.ts';
import type { Finding } from '../finding.ts';
import { few } from '../words.ts';
import { exposedModels } from './volumes.ts';

/** From this API version on (Docker 23) `volume prune` leaves named volumes alone unless it is told `--all`. */
const sparesNamed = '1.42';

/** What the engine's own clean-ups take. */
export function checkPrunes(examined: Examined): Finding[] {
  const { engine } = examined;
  if (!engine.answers || !examined.volumes || !examined.otherVolumes) return [];
  const { version, apiVersion } = engine;
  if (!olderThan(apiVersion, sparesNamed)) return [];
  const what = `this engine (${version}, API ${apiVersion}) lets docker volume prune take named volumes too`;
  const exposed = exposedModels(examined);
  const [first] = exposed;
  if (!first) {
    return [
      {
        check: 'engine-prunes-named',
        level: 'note',
        what,
        why: 'Nothing is in reach of it now: what is precious lies in folders, or is held by the guard. Docker 23 and newer leave named volumes alone.',
        command: null,
        fixable: false,
      },
    ];
  }
  return [
    {
      check: 'engine-prunes-named',
      level: 'danger',
      what: `${what}, and ${few(exposed.map(({ name }) => name))} may be next`,
      why: 'A docker volume prune, or docker system prune --volumes, while no container runs deletes it, with all that is in it.',
      command: first.command,
      fixable: false,
    },
  ];
}

function olderThan(version: string, than: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = than.split('.').map(Number);
  return (major - wantedMajor || minor - wantedMinor) < 0;
}
