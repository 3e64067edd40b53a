import { type Room, roomFor } from '../models/room.ts';

/** A place and its disk. */
export interface Place {
  readonly path: string;
  readonly space: { readonly free: number; readonly total: number };
}

/** Bytes that lie at both places once a step is done, those staged and those that stay. */
export interface Stage {
  readonly models: number;
  readonly vault: number;
}

/** How full the disks get at their fullest. What is staged goes again, so the steps do not add up. */
export function roomForStages(
  stages: readonly Stage[],
  { models, vault, sameDisk }: { readonly models: Place; readonly vault: Place; readonly sameDisk: boolean },
): readonly Room[] {
  const most = (bytes: (stage: Stage) => number) => Math.max(0, ...stages.map(bytes));
  const need = ({ path, space }: Place, bytes: number) => ({ place: path, bytes, space });
  if (sameDisk) {
    const room = roomFor([
      need(
        models,
        most((stage) => stage.models + stage.vault),
      ),
    ]);
    return room.map((each) => ({ ...each, places: [models.path, vault.path] }));
  }
  const apart = [
    need(
      models,
      most((stage) => stage.models),
    ),
    need(
      vault,
      most((stage) => stage.vault),
    ),
  ];
  return apart.flatMap((each) => roomFor([each]));
}
