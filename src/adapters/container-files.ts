import type { Readable } from 'node:stream';
import type { Engine } from '../stack/engine.ts';
import { onlyFile } from './ollama/store/tar.ts';

/** Regular files of a container, that the engine reads for us: one after the other, as it reads no two things from one container at a time. */
export class ContainerFiles {
  readonly #engine: Engine;
  readonly #id: string;
  #turn: Promise<void> = Promise.resolve();

  constructor(engine: Engine, id: string) {
    this.#engine = engine;
    this.#id = id;
  }

  /**
   * Bytes of the file at `path`, `size` of them; undefined when there is none. Reading fails with `verification`, which calls it `shown`, when
   * it is something else by now. Whoever does not read to the end destroys the stream: the next one waits for it.
   */
  async read(path: string, shown: string, size: number): Promise<Readable | undefined> {
    const before = this.#turn;
    let over = () => {};
    this.#turn = new Promise((resolve) => {
      over = resolve;
    });
    await before;
    try {
      const tar = await this.#engine.readArchive(this.#id, path);
      if (!tar) {
        over();
        return undefined;
      }
      const bytes = onlyFile(tar, shown, size);
      // Ended, failed or left by its reader.
      bytes.once('close', () => {
        tar.destroy();
        over();
      });
      return bytes;
    } catch (error) {
      over();
      throw error;
    }
  }
}
