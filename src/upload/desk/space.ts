import { statfs } from 'node:fs/promises';
import { nearest } from '../../adapters/vault/same-mount.ts';
import type { Home } from '../../home.ts';
import { onSameDisk } from '../../wiring/disks.ts';
import type { PageState, Space } from '../api.ts';
import type { Looking } from './part.ts';

type SeenSpace = PageState['space'];

/** How often the disks are asked, in milliseconds. */
const everyMs = 2000;
/** Less than this, in bytes, or than a thousandth of the disk, is no news: something always writes. */
const newsBytes = 16 * 2 ** 20;

export function spaceOf({ models, vault }: Home): Looking<SeenSpace> {
  const nothing = { free: 0, total: 0 };
  const empty = { models: nothing, vault: nothing, oneDisk: true };
  let shown: SeenSpace = empty;
  return {
    empty,
    mark: async () => String(Math.floor(performance.now() / everyMs)),
    async look() {
      const [ofModels, ofVault, oneDisk] = await Promise.all([
        spaceAt(models),
        spaceAt(vault),
        onSameDisk(models, vault),
      ]);
      shown = {
        models: news(ofModels, shown.models),
        vault: news(ofVault, shown.vault),
        oneDisk,
      };
      return shown;
    },
  };
}

async function spaceAt(path: string): Promise<Space> {
  const { bavail, blocks, bsize } = await statfs(await nearest(path));
  return { free: bavail * bsize, total: blocks * bsize };
}

function news(now: Space, shown: Space): Space {
  const enough = Math.min(newsBytes, now.total / 1000);
  return now.total === shown.total && Math.abs(now.free - shown.free) < enough ? shown : now;
}
