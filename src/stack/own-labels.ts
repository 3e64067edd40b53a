import { composeLabels, labels } from '../labels.ts';

/** By these, Compose and aixcl know their own networks and volumes. */
export function ownLabels(home: string, project: string): Record<string, string> {
  return { [labels.home]: home, [composeLabels.project]: project };
}
