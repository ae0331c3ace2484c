import { useSyncExternalStore } from 'react';

import { distanceBetween, type LatLng, type PositionSource } from '../../../lib/map';

/** A car this near to a place is there, in metres. */
export const thereM = 40;

/** Whether the car is at a place. It changes once, however often the car moves. */
export function useIsThere(positions: PositionSource, to: LatLng | null): boolean {
  return useSyncExternalStore(positions.subscribe, () => {
    const here = positions.get();
    return here !== null && to !== null && distanceBetween(here, to) < thereM;
  });
}
