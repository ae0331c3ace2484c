import { useState } from 'react';

import { useDemonstration, useServerConfig } from '../../api/queries';
import type { LatLng } from './geo';
import { readLastPlace } from './lastPlace';

/** A view of the map to begin with, before anything is to be seen on it. */
export interface Home {
  readonly center: LatLng;
  readonly zoom: number;
}

/** Where a map begins, as far as is known now. */
export interface HomeState {
  /** Whether the server has said all that it will. */
  readonly settled: boolean;
  /** Whether the place is one that was named or looked at, rather than a part of the world. */
  readonly exact: boolean;
  readonly home: Home;
}

const cityZoom = 12;

/**
 * Where maps begin: the operator's `home`; in a demonstration its city; the last place that was looked at on this
 * device; the part of the world that the time zone names. What comes later moves the map, unless the person already did.
 */
export function useHome(): HomeState {
  const config = useServerConfig();
  const demo = config.data?.demo === true;
  const about = useDemonstration();
  const [last] = useState(readLastPlace);
  const settled = !config.isPending && (!demo || !about.isPending);
  const named = config.data?.home;
  if (named) return { settled, exact: true, home: { center: { lat: named.lat, lng: named.lng }, zoom: named.zoom } };
  if (about.data) return { settled, exact: true, home: { center: about.data.city.center, zoom: cityZoom } };
  if (last) return { settled, exact: true, home: last };
  return { settled, exact: false, home: regionOf(Intl.DateTimeFormat().resolvedOptions().timeZone, new Date().getTimezoneOffset()) };
}

/** Roughly where people live in the areas of time zones. */
const latitudes: Readonly<Record<string, number>> = { Africa: 5, America: 30, Asia: 30, Atlantic: 35, Australia: -28, Europe: 50, Indian: -10, Pacific: -15 };

/**
 * The part of the world that a time zone names: its area for the latitude, and its offset for the longitude, as
 * `Date.getTimezoneOffset` has it, in minutes west of Greenwich.
 */
export function regionOf(timeZone: string, offsetMin: number): Home {
  const lat = latitudes[timeZone.split('/')[0] ?? ''] ?? 25;
  return { center: { lat, lng: Math.max(-170, Math.min(170, -offsetMin / 4)) }, zoom: 3 };
}
