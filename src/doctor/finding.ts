/** Something that `doctor` found: what, why it matters, and what mends it. */
export interface Finding {
  /** Stable, for scripts: `volume-unheld`, `store-on-host`. */
  readonly check: string;
  /**
   * `danger`: models can be lost now. `problem`: something does not work, or will not protect when it is needed. `note`: worth knowing.
   * The first two end `doctor` with 9.
   */
  readonly level: 'danger' | 'problem' | 'note';
  readonly what: string;
  readonly why: string;
  /** The next command to type. Null only of a note. */
  readonly command: string | null;
  /** True where `doctor --fix` does it: safe, and taken back as easily. */
  readonly fixable: boolean;
}

/** True where `doctor` ends with 9. */
export function matters({ level }: Finding): boolean {
  return level !== 'note';
}
