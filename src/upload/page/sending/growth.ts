/** Milliseconds without a byte after which nobody is taken to send any more. */
const silence = 15_000;

/** Which uploads grow. By the page's own clock alone: that of the server may be another. */
export class Growth {
  readonly #seen = new Map<string, { readonly received: number; readonly grew: number | null }>();

  see(uploads: readonly { readonly id: string; readonly received: number }[], now: number): void {
    for (const { id, received } of uploads) {
      const before = this.#seen.get(id);
      if (before?.received === received) continue;
      this.#seen.set(id, { received, grew: before ? now : null });
    }
  }

  grows(id: string, now: number): boolean {
    const grew = this.#seen.get(id)?.grew ?? null;
    return grew !== null && now - grew < silence;
  }
}
