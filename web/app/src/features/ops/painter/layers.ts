import type { Layer } from '@deck.gl/core';
import { LineLayer, ScatterplotLayer, SolidPolygonLayer } from '@deck.gl/layers';
import type { CityCell, CityTrip, TripStatus } from '@hexhail/client';

import type { City } from '../live/city';
import { rampOf, rgb, stepOf, tripColor, type Scheme } from '../mapColors';
import { cellValue, outlineOf, visibleTrips, type MapView, type Selected } from '../mapView';

// What does not move on its own: cells, trips and the marks of the selection. A change makes new layers.

type Spot = [lng: number, lat: number];
type Ink = [number, number, number, number];

/** The cells of the measure that is shown. */
export function cellLayers(city: City, { measure, layers }: MapView, scheme: Scheme): Layer[] {
  if (!layers.cells) return [];
  const ramp = rampOf(scheme, measure).map(rgb);
  const colored = [...city.cells.values()].filter((cell) => stepOf(measure, cellValue(cell, measure)) !== null);
  return [new SolidPolygonLayer<CityCell>({
    id: 'cells', data: colored, getPolygon: ({ cell }) => outlineOf(cell), opacity: 1,
    getFillColor: (cell) => [...(ramp[stepOf(measure, cellValue(cell, measure)) ?? 0] ?? [0, 0, 0]), scheme === 'light' ? 150 : 165] as [number, number, number, number],
  })];
}

/** How the trips of a status are drawn. */
interface TripLook {
  /** How strong its way is, from 0 to 255. */
  readonly way: number;
  /** Whether its way is drawn from afar, too. */
  readonly far?: true;
  /** The radius of its pickup in pixels; none once the rider is on board. */
  readonly pickup?: number;
}

const looks: Readonly<Record<TripStatus, TripLook>> = {
  requested: { way: 110, far: true, pickup: 7 },
  matched: { way: 110, pickup: 4 },
  arrived: { way: 110, pickup: 4 },
  in_progress: { way: 55 },
  // Ended trips are not shown; a change may still be on its way to the view.
  completed: { way: 110, pickup: 4 },
  cancelled: { way: 110, pickup: 4 },
  expired: { way: 110, pickup: 4 },
  status_unspecified: { way: 110, pickup: 4 },
};
/** A status of a newer server has the look of one that the app does not know either. */
const lookOf = (status: TripStatus): TripLook => (looks as Partial<typeof looks>)[status] ?? looks.status_unspecified;

/** The trips that go on. From afar, hundreds of ways on top of each other would hide the city, and take most of the time of a picture. */
export function tripLayers(city: City, view: MapView, scheme: Scheme, near: boolean): Layer[] {
  const trips = visibleTrips(city, view);
  if (trips.length === 0) return [];
  const color = (trip: CityTrip, alpha: number): Ink => [...rgb(tripColor(scheme, trip.status)), alpha];
  return [
    new LineLayer<CityTrip>({
      id: 'trips-ways', data: trips.filter(({ pickup, dropoff, status }) => pickup && dropoff && (near || lookOf(status).far)), getWidth: 1.2, widthUnits: 'pixels',
      getSourcePosition: ({ pickup }) => [pickup?.lng ?? 0, pickup?.lat ?? 0],
      getTargetPosition: ({ dropoff }) => [dropoff?.lng ?? 0, dropoff?.lat ?? 0],
      getColor: (trip) => color(trip, lookOf(trip.status).way),
    }),
    new ScatterplotLayer<CityTrip>({
      id: 'trips-pickups', data: trips.filter(({ pickup, status }) => pickup && lookOf(status).pickup), radiusUnits: 'pixels', stroked: true, lineWidthUnits: 'pixels', getLineWidth: 1.5,
      getPosition: ({ pickup }) => [pickup?.lng ?? 0, pickup?.lat ?? 0],
      getRadius: ({ status }) => lookOf(status).pickup ?? 0, getFillColor: (trip) => color(trip, 230),
      getLineColor: scheme === 'light' ? [255, 255, 255, 220] : [12, 18, 20, 220],
    }),
  ];
}

/** What shows a selected thing. */
export interface Marks {
  /** The driver to put a ring around; null: none whose position is known. */
  readonly driver: string | null;
  readonly rings: readonly { readonly at: Spot; readonly radius: number }[];
  readonly ways: readonly { readonly from: Spot; readonly to: Spot }[];
}

/** The driver and the trip of what is selected, and the way that lies before them. */
export function marksOf({ drivers, trips }: Pick<City, 'drivers' | 'trips'>, selected: Exclude<Selected, { kind: 'cell' }>): Marks {
  const driverId = selected.kind === 'driver' ? selected.id : (trips.get(selected.id)?.driver_id ?? '');
  const driver = drivers.get(driverId);
  const trip = trips.get(selected.kind === 'trip' ? selected.id : (driver?.tripId ?? ''));
  const spot = (point: { lng: number; lat: number } | null | undefined): Spot | null => (point ? [point.lng, point.lat] : null);
  const [at, pickup, dropoff] = [spot(driver?.point), spot(trip?.pickup), spot(trip?.dropoff)];
  const next = trip?.status === 'in_progress' ? dropoff : pickup;
  return {
    driver: at ? driverId : null,
    rings: [...(pickup ? [{ at: pickup, radius: 9 }] : []), ...(dropoff ? [{ at: dropoff, radius: 6 }] : [])],
    ways: [...(pickup && dropoff ? [{ from: pickup, to: dropoff }] : []), ...(at && next ? [{ from: at, to: next }] : [])],
  };
}

/** The colour of what is selected. */
export const inkOf = (scheme: Scheme): Ink => (scheme === 'light' ? [16, 24, 28, 255] : [255, 255, 255, 255]);

export function markLayers({ rings, ways }: Marks, ink: Ink): Layer[] {
  return [
    new LineLayer<Marks['ways'][number]>({
      id: 'selected-ways', data: ways, getSourcePosition: ({ from }) => from, getTargetPosition: ({ to }) => to, getColor: ink, getWidth: 2.5, widthUnits: 'pixels',
    }),
    new ScatterplotLayer<Marks['rings'][number]>({
      id: 'selected-rings', data: rings, filled: false, stroked: true, radiusUnits: 'pixels', lineWidthUnits: 'pixels', getLineWidth: 2.5,
      getPosition: (r) => r.at, getRadius: (r) => r.radius, getLineColor: ink,
    }),
  ];
}

export function outlineLayers(cell: string, ink: Ink): Layer[] {
  const outline = outlineOf(cell);
  const sides = outline.map((corner, i) => ({ from: corner, to: outline[(i + 1) % outline.length] ?? corner }));
  return [new LineLayer<(typeof sides)[number]>({
    id: 'selected-cell', data: sides, getSourcePosition: ({ from }) => from, getTargetPosition: ({ to }) => to, getColor: ink, getWidth: 3, widthUnits: 'pixels',
  })];
}
