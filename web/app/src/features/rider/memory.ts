import { useCallback, useSyncExternalStore } from 'react';

import type { Draft } from './draft';

/** What the rider's screen remembers over reloads, besides what the server knows. */
export interface Remembered {
  /** The ended trip whose end was put away. */
  readonly dismissed?: string;
  /** The trip that was seen with a driver last; searching again, it was given back. */
  readonly driverOf?: string;
  /** The ride that is being planned, and when it was touched last. */
  readonly draft?: Draft;
  readonly draftAt?: number;
}

type Store = Pick<Storage, 'getItem' | 'setItem'>;

/** A plan is forgotten when it has not been touched for this long. */
const draftLifeMs = 30 * 60_000;

/** Keeps `Remembered` for one account in a storage. */
export class Memory {
  #now: Remembered;
  readonly #listeners = new Set<() => void>();

  constructor(
    private readonly storage: Store,
    private readonly key: string,
    private readonly clock: () => number = Date.now,
  ) {
    this.#now = this.#read();
  }

  /** The same object until something changes. */
  get = (): Remembered => this.#now;

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  patch(change: Partial<Remembered>): void {
    this.#now = { ...this.#now, ...change, ...('draft' in change ? { draftAt: this.clock() } : {}) };
    try {
      this.storage.setItem(this.key, JSON.stringify(this.#now));
    } catch {
      // A full or forbidden storage costs the memory of a reload, no more.
    }
    for (const listener of [...this.#listeners]) listener();
  }

  #read(): Remembered {
    try {
      const stored = JSON.parse(this.storage.getItem(this.key) ?? '{}') as Remembered;
      if (this.clock() - (stored.draftAt ?? 0) <= draftLifeMs) return stored;
      delete (stored as { draft?: Draft }).draft;
      return stored;
    } catch {
      return {};
    }
  }
}

const memories = new Map<string, Memory>();

function memoryOf(accountId: string): Memory {
  let memory = memories.get(accountId);
  if (!memory) memories.set(accountId, (memory = new Memory(localStorage, `hexhail.rider.${accountId}`)));
  return memory;
}

/** What is remembered for an account, and the way to change it. Renders again when it changes. */
export function useMemory(accountId: string): [Remembered, (change: Partial<Remembered>) => void] {
  const memory = memoryOf(accountId);
  const patch = useCallback((change: Partial<Remembered>) => memory.patch(change), [memory]);
  return [useSyncExternalStore(memory.subscribe, memory.get), patch];
}
