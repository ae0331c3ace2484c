import { lazy, Suspense } from 'react';

import { MapSkeleton } from './MapSkeleton';
import type { RideMapProps } from './types';

// What pages import of the map. None of it pulls MapLibre into the page's own chunk.

export { createPositionStore } from './positions';
export type { MovingPosition, PositionSource, PositionStore } from './positions';
export { bearingBetween, distanceBetween, headingTo, offsetBy, type Heading, type LatLng } from './geo';
export { canDraw } from './canDraw';
export { CoordinateEntry } from './CoordinateEntry';
export { MapPage, type SheetStep } from './MapPage';
export { MapPageSkeleton } from './MapSkeleton';
export { useGeolocation, type Geolocation } from './useGeolocation';
export { useHome } from './home';
export { useMapSettings } from './useMapSettings';
export { cornersOf, measure, placeOn, pointAt, type Way } from './way';
export type { Area, Camera, Padding, Place, RideMapProps, SearchRings } from './types';

const Loaded = lazy(() => import('./RideMap'));

/** The map of riders and drivers, loaded beside the page. It fills its positioned parent. */
export function RideMap(props: RideMapProps) {
  return (
    <Suspense fallback={<MapSkeleton padding={props.padding} />}>
      <Loaded {...props} />
    </Suspense>
  );
}
