import type { ActorKind, CityCell, CityChanged, CityTotals, CityTrip } from '@hexhail/client';

import { DriverTable } from './drivers';

/**
 * Parts of the city of which one can hear separately. `drivers`: who is there and what they do; `moves`: where they
 * are, which alone changes thousands of times a second.
 */
export type Slice = 'drivers' | 'moves' | 'trips' | 'cells' | 'totals' | 'actors';

/** The city as an operator's watch reports it. Only `applyChange` changes it, in place. */
export interface City {
  readonly drivers: DriverTable;
  readonly trips: Map<string, CityTrip>;
  readonly cells: Map<string, CityCell>;
  totals: CityTotals | null;
  actors: readonly ActorKind[];
  /** When the server looked last, in milliseconds since 1970; null before the first message. */
  at: number | null;
}

export const emptyCity = (): City => ({
  drivers: new DriverTable(), trips: new Map(), cells: new Map(), totals: null, actors: [], at: null,
});

/**
 * Takes one change, or one part of a snapshot: the first one says `reset`, and then only what follows it is there.
 * `now` is when it came, in milliseconds, by a clock that does not go back. Returns what has changed.
 */
export function applyChange(city: City, change: CityChanged, now: number): ReadonlySet<Slice> {
  const touched = new Set<Slice>();
  const { drivers, trips, cells } = city;
  if (change.reset) {
    drivers.clear();
    trips.clear();
    cells.clear();
    for (const slice of ['drivers', 'moves', 'trips', 'cells'] as const) touched.add(slice);
  }
  // Those who left first: their keys may have new owners in the same change.
  for (const key of change.drivers_gone) drivers.removeKey(key);
  for (const driver of change.drivers) drivers.put(driver, now);
  if (change.drivers_gone.length + change.drivers.length > 0) touched.add('drivers').add('moves');
  for (const { key, point, heading_deg } of change.moves) {
    if (point) drivers.move(key, point.lng, point.lat, heading_deg, now);
  }
  if (change.moves.length > 0) touched.add('moves');

  for (const id of change.trips_gone) trips.delete(id);
  for (const trip of change.trips) {
    // Parts of a snapshot and changes cross: an older version adds nothing.
    if (trip.version >= (trips.get(trip.id)?.version ?? 0)) trips.set(trip.id, trip);
  }
  if (change.trips_gone.length + change.trips.length > 0) touched.add('trips');

  for (const cell of change.cells_gone) cells.delete(cell);
  for (const cell of change.cells) cells.set(cell.cell, cell);
  if (change.cells_gone.length + change.cells.length > 0) touched.add('cells');

  if (change.totals) {
    city.totals = change.totals;
    touched.add('totals');
  }
  if (change.actors.length > 0) {
    city.actors = change.actors;
    touched.add('actors');
  }
  if (change.at) city.at = Date.parse(change.at);
  return touched;
}

/** A stretch of the map. Where `west` lies east of `east`, it crosses the antimeridian. */
export interface Bounds {
  readonly west: number;
  readonly south: number;
  readonly east: number;
  readonly north: number;
}

/** Whether a point lies within bounds. */
export function within({ west, south, east, north }: Bounds, lng: number, lat: number): boolean {
  if (lat < south || lat > north) return false;
  return west <= east ? lng >= west && lng <= east : lng >= west || lng <= east;
}

/** Bounds around drivers and pickups, but for the few who are far from all others; null when there are none. */
export function boundsOf({ drivers, trips }: City): Bounds | null {
  const lngs: number[] = [];
  const lats: number[] = [];
  const take = (lng: number, lat: number) => {
    lngs.push(lng);
    lats.push(lat);
  };
  for (let row = 0; row < drivers.size; row++) if (drivers.placed(row)) take(drivers.lng(row), drivers.lat(row));
  for (const { pickup } of trips.values()) if (pickup) take(pickup.lng, pickup.lat);
  if (lngs.length === 0) return null;
  lngs.sort((a, b) => a - b);
  lats.sort((a, b) => a - b);
  const few = Math.floor(lngs.length * 0.02);
  const at = (sorted: readonly number[], i: number) => sorted.at(i) ?? 0;
  return { west: at(lngs, few), south: at(lats, few), east: at(lngs, -1 - few), north: at(lats, -1 - few) };
}
