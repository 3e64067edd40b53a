import { existsSync } from 'node:fs';
import { ownershipOf } from '../adapters/durable.ts';
import { makeHomeFolder } from '../adapters/home-folder.ts';
import { readSeen } from '../adapters/seen-volumes.ts';
import { Layout } from '../adapters/vault/layout.ts';
import { Receipts } from '../adapters/vault/receipts.ts';
import { goingNotes } from '../adapters/volumes/going-notes.ts';
import { goingFolder, VolumeKeeper } from '../adapters/volumes/keeper.ts';
import { makeVolume } from '../adapters/volumes/make-volume.ts';
import { imagesAtHand } from '../stack/volumes/images-at-hand.ts';
import { contentsOfVolume } from '../stack/volumes/volume-contents.ts';
import type { Surroundings } from './surroundings.ts';

/** Who keeps volumes of the engine as a whole. */
export function volumeKeeperOf(context: Surroundings): VolumeKeeper {
  const { home, signal } = context;
  return new VolumeKeeper({
    engine: () => context.engine(),
    home: home.root,
    async images() {
      const [engine, definition] = await Promise.all([context.engine(), context.definition()]);
      return imagesAtHand(definition, { containers: await engine.listContainers() });
    },
    async receipts() {
      const owner = existsSync(home.models) ? await ownershipOf(home.models) : undefined;
      return new Receipts(new Layout(home.vault).receipts, owner);
    },
    async isStore(volume) {
      const [engine, definition] = await Promise.all([context.engine(), context.definition()]);
      const [containers, seen] = await Promise.all([engine.listContainers(), readSeen(home)]);
      return contentsOfVolume(volume.name, volume, { definition, containers, seen }) === 'models';
    },
    async make(name, { volume }, { subject }) {
      const [engine, definition] = await Promise.all([context.engine(), context.definition()]);
      const makeFolder = (path: string) => makeHomeFolder(path, home);
      await makeVolume({ engine, definition, home: home.root, makeFolder }, name, subject, volume);
    },
    signal,
  });
}

/** Folders of volumes that a killed command was taking away: their files may be the vault's too. */
export async function foldersGoing({ home }: Surroundings): Promise<string[]> {
  return (await goingNotes(goingFolder(home.root))).map(({ folder }) => folder);
}
