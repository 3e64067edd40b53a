/**
 * The turn to change the stack: one command on this machine has it at a time. It is held while containers are made, replaced, started and
 * stopped, and let go while images come and health is waited for. Several courses of one command hold it together.
 */
export class Turn {
  readonly #take: (again: boolean) => Promise<AsyncDisposable>;
  #holders = 0;
  #taken: Promise<AsyncDisposable> | undefined;
  #before: Promise<unknown> = Promise.resolve();
  #again = false;

  /** `take` throws `busy` where another command has it; `again`: this command had it before, and is in the middle of its work. */
  constructor(take: (again: boolean) => Promise<AsyncDisposable>) {
    this.#take = take;
  }

  async enter(): Promise<void> {
    this.#holders += 1;
    this.#taken ??= this.#before.then(() => this.#take(this.#again));
    const taken = this.#taken;
    try {
      await taken;
      this.#again = true;
    } catch (error) {
      this.#holders -= 1;
      if (this.#taken === taken) this.#taken = undefined;
      throw error;
    }
  }

  leave(): void {
    this.#holders -= 1;
    if (this.#holders > 0) return;
    const taken = this.#taken;
    this.#taken = undefined;
    this.#before = (taken ?? Promise.resolve(undefined)).then((held) => held?.[Symbol.asyncDispose]());
  }

  /** Does `work` without it, and has it again afterwards. */
  async pause<T>(work: () => Promise<T>): Promise<T> {
    this.leave();
    try {
      return await work();
    } finally {
      await this.enter();
    }
  }

  /** Does `work` with it. */
  async hold<T>(work: () => Promise<T>): Promise<T> {
    await this.enter();
    try {
      return await work();
    } finally {
      this.leave();
    }
  }
}
