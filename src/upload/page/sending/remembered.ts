/**
 * Which file an upload was begun with, by the upload's id. Kept in this browser, so that after a reload the same file goes on where it
 * was, and another one of the same name and size does not.
 */

const prefix = 'upload:';
/** Another tab may have begun an upload that this one's state does not show yet: milliseconds in which nothing is forgotten. */
const fresh = 60_000;

export function remember(id: string, file: File): void {
  try {
    localStorage.setItem(prefix + id, `${Date.now()} ${fingerprintOf(file)}`);
  } catch {
    // Full, or not allowed: after a reload the upload can only be cleared.
  }
}

/** Null: it was not begun in this browser. */
export function rememberedOf(id: string): string | null {
  try {
    return localStorage.getItem(prefix + id)?.replace(/^\d+ /, '') ?? null;
  } catch {
    return null;
  }
}

/** Forgets all but those that the server still has. */
export function keepOnly(ids: ReadonlySet<string>): void {
  try {
    for (const key of Object.keys(localStorage)) {
      if (!key.startsWith(prefix) || ids.has(key.slice(prefix.length))) continue;
      if (Date.now() - Number.parseInt(localStorage.getItem(key) ?? '0', 10) > fresh)
        localStorage.removeItem(key);
    }
  } catch {
    // Nothing is kept where nothing may be.
  }
}

/** Two files of the same name, size and time of change are one. */
export function fingerprintOf({
  name,
  size,
  lastModified,
}: Pick<File, 'name' | 'size' | 'lastModified'>): string {
  return JSON.stringify([name, size, lastModified]);
}
