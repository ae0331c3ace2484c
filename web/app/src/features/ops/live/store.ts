import type { CityChanged } from '@hexhail/client';

import { applyChange, emptyCity, type City, type Slice } from './city';

/** What the store needs of the page. */
export interface StoreEnvironment {
  /** Milliseconds, by a clock that does not go back. */
  readonly now: () => number;
  /** Runs something before the next frame is drawn. */
  readonly soon: (run: () => void) => void;
}

const page: StoreEnvironment = {
  now: () => performance.now(),
  // A page in the background draws no frames; its tables must go on all the same.
  soon: (run) => {
    if (document.visibilityState === 'visible') requestAnimationFrame(run);
    else setTimeout(run, 200);
  },
};

/**
 * Holds the city outside of React. Listeners of a slice are called at most once per frame, however many changes
 * came, and read what they show from `city`.
 */
export class CityStore {
  readonly city: City = emptyCity();
  readonly #env: StoreEnvironment;
  readonly #listeners = new Map<Slice, Set<() => void>>();
  readonly #versions = new Map<Slice, number>();
  readonly #touched = new Set<Slice>();

  constructor(env: StoreEnvironment = page) {
    this.#env = env;
  }

  /** Takes a message of the server. */
  readonly take = (change: CityChanged): void => {
    const before = this.#touched.size;
    for (const slice of applyChange(this.city, change, this.#env.now())) {
      this.#versions.set(slice, this.version(slice) + 1);
      this.#touched.add(slice);
    }
    if (before === 0 && this.#touched.size > 0) this.#env.soon(this.#tell);
  };

  /** Rises with each change of a slice. */
  version(slice: Slice): number {
    return this.#versions.get(slice) ?? 0;
  }

  /** Calls `listener` when a slice has changed. Returns an end to it. */
  subscribe(slice: Slice, listener: () => void): () => void {
    const listeners = this.#listeners.get(slice) ?? new Set();
    this.#listeners.set(slice, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  readonly #tell = (): void => {
    const touched = [...this.#touched];
    this.#touched.clear();
    for (const slice of touched) for (const listener of [...(this.#listeners.get(slice) ?? [])]) listener();
  };
}
