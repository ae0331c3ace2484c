import type { LatLng } from './geo';

/** Where something that moves is. */
export interface MovingPosition extends LatLng {
  /** Clockwise from north; without it the direction of the last movement counts. */
  readonly headingDeg?: number | null;
  /** The radius of 68 % confidence in metres. */
  readonly accuracyM?: number | null;
}

/**
 * A position that changes often. It lives outside of React, so that a car that moves every second draws itself and
 * nothing else again.
 */
export interface PositionSource {
  /** The newest position; null while there is none. The same object until it changes. */
  readonly get: () => MovingPosition | null;
  /** Calls `listener` after each change. Returns an end to it. Fits `useSyncExternalStore`. */
  readonly subscribe: (listener: () => void) => () => void;
}

/** A position source that is written to. */
export interface PositionStore extends PositionSource {
  readonly set: (position: MovingPosition | null) => void;
}

/** Makes a position source that is written to. */
export function createPositionStore(initial: MovingPosition | null = null): PositionStore {
  let current = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => current,
    set(position) {
      if (position === current) return;
      current = position;
      for (const listener of [...listeners]) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
