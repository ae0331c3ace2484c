import { describe, expect, it } from 'vitest';

import { applyChange, emptyCity } from '../live/city';
import { startView } from '../mapView';
import { marksOf, tripLayers } from './layers';

const pickup = { lat: 1, lng: 10 };
const dropoff = { lat: 2, lng: 20 };

function city(status: string) {
  const made = emptyCity();
  applyChange(made, {
    reset: true, drivers_gone: [], moves: [], trips_gone: [], cells_gone: [], cells: [], actors: [], samples: [],
    drivers: [{ key: 1, id: 'ana', state: 'on_trip', vehicle_class: 'standard', trip_id: 't', heading_deg: 0, point: { lat: 3, lng: 30 } }],
    trips: [{ id: 't', version: 1, status, vehicle_class: 'standard', rider_id: 'r', driver_id: 'ana', pickup, dropoff }],
  } as never, 0);
  return made;
}

describe('the marks of what is selected', () => {
  it.each([
    ['matched', [10, 1]], ['arrived', [10, 1]], ['in_progress', [20, 2]],
  ])('lead the driver of a trip that is %s to the next stop', (status, next) => {
    for (const selected of [{ kind: 'trip', id: 't' }, { kind: 'driver', id: 'ana' }] as const) {
      const marks = marksOf(city(status), selected);
      expect(marks.driver).toBe('ana');
      expect(marks.rings.map((r) => r.at)).toEqual([[10, 1], [20, 2]]);
      expect(marks.ways).toEqual([{ from: [10, 1], to: [20, 2] }, { from: [30, 3], to: next }]);
    }
  });

  it('are none for what is gone', () => {
    expect(marksOf(city('matched'), { kind: 'driver', id: 'bo' })).toEqual({ driver: null, rings: [], ways: [] });
  });
});

describe('the layers of trips', () => {
  const drawn = (status: string, near: boolean) => Object.fromEntries(tripLayers(city(status), startView, 'light', near).map((l) => [l.id, (l.props.data as unknown[]).length]));

  it('have ways from near, and from afar those of riders who wait', () => {
    expect(drawn('matched', true)).toEqual({ 'trips-ways': 1, 'trips-pickups': 1 });
    expect(drawn('matched', false)).toEqual({ 'trips-ways': 0, 'trips-pickups': 1 });
    expect(drawn('requested', false)).toEqual({ 'trips-ways': 1, 'trips-pickups': 1 });
  });

  it('have no pickup once the rider is on board, and nothing of a trip that has ended', () => {
    expect(drawn('in_progress', true)).toEqual({ 'trips-ways': 1, 'trips-pickups': 0 });
    expect(drawn('completed', true)).toEqual({});
  });
});
