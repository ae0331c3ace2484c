import type { CityCell, CityTrip } from '@hexhail/client';
import { cellToBoundary, latLngToCell } from 'h3-js';

import { hasEnded } from '../../lib/trip/status';
import { within, type Bounds, type City } from './live/city';
import { driverStates, type DriverState } from './live/drivers';
import type { Measure } from './mapColors';

/** What is shown of the city, as the operator has chosen. */
export interface MapView {
  readonly measure: Measure;
  readonly layers: { readonly cells: boolean; readonly drivers: boolean; readonly trips: boolean };
  readonly states: readonly DriverState[];
  /** Null: all classes. */
  readonly vehicleClass: string | null;
}

/** What the side panel describes. */
export type Selected =
  | { readonly kind: 'driver' | 'trip'; readonly id: string }
  | { readonly kind: 'cell'; readonly id: string };

export const startView: MapView = {
  measure: 'supply',
  layers: { cells: true, drivers: true, trips: true },
  states: driverStates,
  vehicleClass: null,
};

/** Writes the rows of the drivers who are to be drawn into `rows`, which is long enough. Returns how many. */
export function visibleRows({ drivers }: City, view: MapView, rows: Uint32Array): number {
  if (!view.layers.drivers) return 0;
  const shown = driverStates.map((state) => view.states.includes(state));
  const only = view.vehicleClass === null ? -1 : drivers.classes.indexOf(view.vehicleClass);
  if (view.vehicleClass !== null && only < 0) return 0;
  let count = 0;
  for (let row = 0; row < drivers.size; row++) {
    if (!shown[drivers.state[row] ?? 0] || (only >= 0 && drivers.vehicleClass[row] !== only) || !drivers.placed(row)) continue;
    rows[count++] = row;
  }
  return count;
}

/** The trips that are to be drawn: those under way of the class. */
export function visibleTrips({ trips }: City, view: MapView): CityTrip[] {
  if (!view.layers.trips) return [];
  return [...trips.values()].filter((trip) => !hasEnded(trip) && (view.vehicleClass === null || trip.vehicle_class === view.vehicleClass));
}

/** Ids of the drivers within bounds, as the filters have it, in a lasting order. */
export function driversWithin(city: City, view: MapView, bounds: Bounds): string[] {
  const rows = new Uint32Array(city.drivers.size);
  const count = visibleRows(city, { ...view, layers: { ...view.layers, drivers: true } }, rows);
  const ids: string[] = [];
  for (let i = 0; i < count; i++) {
    const row = rows[i] ?? 0;
    if (within(bounds, city.drivers.lng(row), city.drivers.lat(row))) ids.push(city.drivers.ids[row] ?? '');
  }
  return ids.sort();
}

/** Trips whose pickup is within bounds, those that wait for a driver first, then the newest. */
export function tripsWithin(city: City, view: MapView, bounds: Bounds): CityTrip[] {
  return visibleTrips(city, { ...view, layers: { ...view.layers, trips: true } })
    .filter(({ pickup }) => pickup && within(bounds, pickup.lng, pickup.lat))
    .sort((a, b) => Number(b.status === 'requested') - Number(a.status === 'requested') || (a.id < b.id ? 1 : -1));
}

export const cellValue = (cell: CityCell, measure: Measure): number =>
  measure === 'supply' ? cell.supply : measure === 'demand' ? cell.demand : cell.mean_wait_s;

const outlines = new Map<string, [number, number][]>();

/** The corners of a cell, as longitude and latitude. */
export function outlineOf(cell: string): [number, number][] {
  const known = outlines.get(cell);
  if (known) return known;
  const ring = cellToBoundary(cell, true);
  const near = ring[0]?.[0] ?? 0;
  // Corners beyond the antimeridian go on beyond 180 degrees.
  const outline = ring.map(([lng, lat]): [number, number] => [lng - near > 180 ? lng - 360 : near - lng > 180 ? lng + 360 : lng, lat]);
  outlines.set(cell, outline);
  return outline;
}

/** What lies under a click: a driver or a pickup close to it, else the cell. `box` is as large as a finger. */
export function hit(
  city: City, view: MapView, at: { lng: number; lat: number }, box: Bounds,
  drawn: { readonly rows: Uint32Array; readonly positions: Float32Array; readonly count: number }, resolution: number,
): Selected | null {
  // Squared distance in units of the box, so that it is round on the screen.
  const distance = (lng: number, lat: number) =>
    ((lng - at.lng) / (box.east - box.west || 1)) ** 2 + ((lat - at.lat) / (box.north - box.south || 1)) ** 2;
  let best: Selected | null = null;
  let nearest = 0.25;
  for (let i = 0; i < drawn.count; i++) {
    const d = distance(drawn.positions[2 * i] ?? NaN, drawn.positions[2 * i + 1] ?? NaN);
    if (!(d < nearest)) continue;
    nearest = d;
    best = { kind: 'driver', id: city.drivers.ids[drawn.rows[i] ?? 0] ?? '' };
  }
  for (const { id, pickup, status } of visibleTrips(city, view)) {
    // The rider has left the pickup, so it is not drawn.
    const d = pickup && status !== 'in_progress' ? distance(pickup.lng, pickup.lat) : Infinity;
    if (d >= nearest) continue;
    nearest = d;
    best = { kind: 'trip', id };
  }
  if (best || !view.layers.cells) return best;
  const cell = latLngToCell(at.lat, at.lng, resolution);
  return city.cells.has(cell) ? { kind: 'cell', id: cell } : null;
}
