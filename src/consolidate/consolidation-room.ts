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
export function roomForStages(stages: readonly Stage[], models: Place, vault: Place): readonly Room[] {
  const most = (bytes: (stage: Stage) => number) => Math.max(0, ...stages.map(bytes));
  const together = models.space.free === vault.space.free && models.space.total === vault.space.total;
  const need = ({ path, space }: Place, bytes: number) => ({ place: path, bytes, space });
  if (!together) {
    return roomFor([
      need(
        models,
        most((stage) => stage.models),
      ),
      need(
        vault,
        most((stage) => stage.vault),
      ),
    ]);
  }
  const peak = stages.reduce<Stage>((a, b) => (a.models + a.vault >= b.models + b.vault ? a : b), {
    models: 0,
    vault: 0,
  });
  return roomFor([need(models, peak.models), need(vault, peak.vault)]);
}
