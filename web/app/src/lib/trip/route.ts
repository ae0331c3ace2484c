import { decodePolyline, type TripRoute } from '@hexhail/client';
import { useMemo } from 'react';

import { measure, type Way } from '../map';

/** The planned route of the drive that a trip is at. */
export interface Planned {
  readonly route: TripRoute;
  /** The way along the streets; null where the route is a straight line that is not driven. */
  readonly way: Way | null;
}

/** Reads a route. */
export function planOf(route: TripRoute): Planned {
  return { route, way: route.by === 'crow' ? null : wayAlong(route.polyline) };
}

/** The way along an encoded line; null where it cannot be read or is empty: the trip goes on without it. */
export function wayAlong(polyline: string): Way | null {
  try {
    return measure(decodePolyline(polyline));
  } catch {
    return null;
  }
}

/** The same object until the route is another one. */
export function usePlanned(route: TripRoute | undefined): Planned | null {
  return useMemo(() => (route ? planOf(route) : null), [route]);
}
