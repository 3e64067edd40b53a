/** Bytes that are to come to a place, and its disk; null where nobody can say how full that is. */
export interface Need {
  /** For people. */
  readonly place: string;
  readonly bytes: number;
  readonly space: { readonly free: number; readonly total: number } | null;
}

export interface Room {
  /** All places on this disk that something comes to. */
  readonly places: readonly string[];
  readonly needed: number;
  /** Bytes that would be free afterwards; below 0: there is not enough. */
  readonly left: number;
  /** True when less than a tenth of the disk would be left. */
  readonly tight: boolean;
}

/** How full the disks would be. Places whose disks are as large and as free to the byte are taken to be on one. */
export function roomFor(needs: readonly Need[]): Room[] {
  const disks = new Map<string, { needs: Need[]; free: number; total: number }>();
  for (const need of needs) {
    if (!need.space || need.bytes === 0) continue;
    const { free, total } = need.space;
    const disk = disks.get(`${free} ${total}`) ?? { needs: [], free, total };
    disk.needs.push(need);
    disks.set(`${free} ${total}`, disk);
  }
  return [...disks.values()].map((disk) => {
    const needed = disk.needs.reduce((sum, { bytes }) => sum + bytes, 0);
    const left = disk.free - needed;
    return { places: disk.needs.map(({ place }) => place), needed, left, tight: left < disk.total / 10 };
  });
}
