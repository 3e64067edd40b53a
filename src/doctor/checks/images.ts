import type { Examined } from '../examined.ts';
import type { Finding } from '../finding.ts';

/** Images that are not those that the definition names, or that aixcl was tested with. */
export function checkImages({ images }: Examined): Finding[] {
  if (!images) return [];
  return [
    ...images.drifted.map(
      ({ service, runs, named }): Finding => ({
        check: 'image-drifted',
        level: 'note',
        what:
          runs === named
            ? `${service} runs on an older image than ${named} is now`
            : `${service} runs on ${runs}; its definition names ${named}`,
        why: 'The next aixcl stack start replaces it, and goes back if the new one does not become healthy.',
        command: `aixcl service start ${service}`,
        fixable: false,
      }),
    ),
    ...images.overridden.map(
      ({ variable, value, pin }): Finding => ({
        check: 'image-pin-overridden',
        level: 'note',
        what: `${variable}=${value} in .env stands in for ${pin}`,
        why: 'This version of aixcl was tested with the image that it pins; an upgrade does not change what .env names.',
        command: null,
        fixable: false,
      }),
    ),
  ];
}
