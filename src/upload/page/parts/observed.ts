import { useEffect, useState } from 'preact/hooks';

/** A value that tells when it changes. */
export class Observed<T> {
  #value: T;
  readonly #watchers = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const watcher of [...this.#watchers]) watcher();
  }

  /** Until the function that it returns is called. */
  watch(onChange: () => void): () => void {
    this.#watchers.add(onChange);
    return () => this.#watchers.delete(onChange);
  }
}

/** The value, drawn anew whenever it changes. */
export function useObserved<T>(observed: Observed<T>): T {
  const [, draw] = useState<T>(observed.value);
  useEffect(() => {
    const onChange = () => draw(() => observed.value);
    onChange();
    return observed.watch(onChange);
  }, [observed]);
  return observed.value;
}
