import type { CityChanged, CityDriver, CityTrip } from '@hexhail/client';
import { describe, expect, it } from 'vitest';

import { applyChange, boundsOf, emptyCity, within, type City } from './city';
import { CityStore } from './store';

const change = (more: Partial<CityChanged> = {}): CityChanged => ({
  watch: 1, at: '2026-01-01T00:00:00Z', reset: false, snapshot: false, drivers: [], moves: [], drivers_gone: [],
  trips: [], trips_gone: [], cells: [], cells_gone: [], actors: [], samples: [], ...more,
});
const driver = (key: number, more: Partial<CityDriver> = {}): CityDriver => ({
  key, id: `driver ${key}`, state: 'available', vehicle_class: 'standard', trip_id: '', point: { lat: 40, lng: -74 + key / 1000 },
  heading_deg: 0, ...more,
});
const trip = (id: string, version: number, more: Partial<CityTrip> = {}): CityTrip => ({
  id, version, status: 'requested', pickup: { lat: 40, lng: -74 }, dropoff: { lat: 40.1, lng: -74 }, vehicle_class: 'standard',
  rider_id: 'r', driver_id: '', ...more,
});
const cell = (index: string, supply: number) => ({ cell: index, supply, demand: 0, requests: 0, mean_wait_s: 0 });

/** Where a driver is drawn at a time. */
function drawnAt(city: City, id: string, now: number): [number, number] {
  const row = city.drivers.rowOf(id);
  if (row === undefined) throw new Error(`no ${id}`);
  const out = new Float32Array(2);
  city.drivers.positionsAt(Uint32Array.of(row), 1, now, out);
  return [out[0] ?? NaN, out[1] ?? NaN];
}

describe('the city', () => {
  it('is built of the parts of a snapshot', () => {
    const city = emptyCity();
    applyChange(city, change({ reset: true, snapshot: true, drivers: [driver(1), driver(2)] }), 0);
    applyChange(city, change({ snapshot: true, drivers: [driver(3, { point: undefined })], trips: [trip('t', 1)], cells: [cell('c', 2)] }), 1);
    expect(city.drivers.size).toBe(3);
    expect(city.drivers.get('driver 2')).toEqual({
      id: 'driver 2', state: 'available', vehicleClass: 'standard', tripId: '', point: { lat: 40, lng: -73.998 }, heading: 0,
    });
    expect(city.drivers.get('driver 3')?.point).toBeNull();
    expect([...city.trips.keys(), ...city.cells.keys()]).toEqual(['t', 'c']);
    expect(city.at).toBe(Date.UTC(2026, 0, 1));
  });

  it('says which slices changed', () => {
    const city = emptyCity();
    expect([...applyChange(city, change(), 0)]).toEqual([]);
    applyChange(city, change({ drivers: [driver(1)] }), 0);
    expect([...applyChange(city, change({ moves: [{ key: 1, point: { lat: 1, lng: 1 }, heading_deg: 0 }] }), 0)]).toEqual(['moves']);
    expect([...applyChange(city, change({ trips_gone: ['t'], cells_gone: ['c'] }), 0)]).toEqual(['trips', 'cells']);
  });

  it('keeps rows and ids together while drivers come and go', () => {
    const city = emptyCity();
    const alive = new Map<number, string>();
    for (let round = 0; round < 300; round++) {
      const key = (round * 7919) % 101;
      if (alive.has(key) && round % 3 === 0) {
        alive.delete(key);
        applyChange(city, change({ drivers_gone: [key] }), round);
      } else {
        const id = `${key} of ${round}`;
        alive.set(key, id);
        applyChange(city, change({ drivers: [driver(key, { id, point: { lat: key / 10, lng: round / 10 }, trip_id: `trip ${id}` })] }), round);
      }
    }
    expect(city.drivers.size).toBe(alive.size);
    for (const [key, id] of alive) {
      expect(city.drivers.get(id)).toMatchObject({ id, tripId: `trip ${id}`, point: { lat: key / 10 } });
      applyChange(city, change({ moves: [{ key, point: { lat: 9, lng: key }, heading_deg: key }] }), 1000);
      expect(city.drivers.get(id)).toMatchObject({ point: { lat: 9, lng: key }, heading: key });
    }
  });

  it('gives a key that comes with another id to the newer driver, also when both are in one change', () => {
    const city = emptyCity();
    applyChange(city, change({ drivers: [driver(1)] }), 0);
    applyChange(city, change({ drivers_gone: [1], drivers: [driver(1, { id: 'new' })] }), 1);
    expect(city.drivers.ids).toEqual(['new']);
    applyChange(city, change({ drivers: [driver(1, { id: 'newer' })] }), 2);
    expect(city.drivers.ids).toEqual(['newer']);
    applyChange(city, change({ drivers: [driver(5, { id: 'newer' })] }), 3);
    applyChange(city, change({ moves: [{ key: 1, point: { lat: 2, lng: 2 }, heading_deg: 0 }] }), 4);
    expect(city.drivers.get('newer')?.point).toEqual({ lat: 40, lng: -73.995 });
    expect(city.drivers.size).toBe(1);
  });

  it('ignores moves of those who are not there and versions that are older', () => {
    const city = emptyCity();
    applyChange(city, change({ moves: [{ key: 9, point: { lat: 1, lng: 1 }, heading_deg: 0 }], drivers_gone: [3] }), 0);
    expect(city.drivers.size).toBe(0);
    applyChange(city, change({ trips: [trip('t', 3, { status: 'matched' })] }), 0);
    applyChange(city, change({ trips: [trip('t', 2)] }), 0);
    expect(city.trips.get('t')?.status).toBe('matched');
  });

  it('takes what a slow reader gets: several steps of a trip and a driver in one', () => {
    const city = emptyCity();
    applyChange(city, change({ drivers: [driver(1)], trips: [trip('t', 1)] }), 0);
    applyChange(city, change({
      drivers: [driver(1, { state: 'on_trip', trip_id: 't', point: { lat: 40.01, lng: -74 } })],
      trips: [trip('t', 5, { status: 'in_progress', driver_id: 'driver 1' })], cells: [cell('a', 1)], cells_gone: ['b'],
    }), 5000);
    expect(city.drivers.get('driver 1')).toMatchObject({ state: 'on_trip', tripId: 't' });
    expect(city.trips.get('t')?.version).toBe(5);
  });

  it('forgets what a new snapshot does not tell', () => {
    const city = emptyCity();
    applyChange(city, change({ drivers: [driver(1), driver(2)], trips: [trip('t', 9)], cells: [cell('c', 1)] }), 0);
    applyChange(city, change({ reset: true, snapshot: true, drivers: [driver(1, { id: 'driver 2' })], trips: [trip('t', 2)] }), 1);
    expect(city.drivers.ids).toEqual(['driver 2']);
    expect(city.trips.get('t')?.version).toBe(2);
    expect(city.cells.size).toBe(0);
  });

  it('reads a state that it does not know as unreachable', () => {
    const city = emptyCity();
    applyChange(city, change({ drivers: [driver(1, { state: 'state_unspecified' })] }), 0);
    expect(city.drivers.get('driver 1')?.state).toBe('unreachable');
  });
});

describe('cars', () => {
  const start = () => {
    const city = emptyCity();
    applyChange(city, change({ drivers: [driver(1, { point: { lat: 40, lng: -74 } })] }), 1000);
    applyChange(city, change({ moves: [{ key: 1, point: { lat: 40.01, lng: -74 }, heading_deg: 0 }] }), 2000);
    return city;
  };

  it('glide for as long as the last report was away', () => {
    const city = start();
    expect(drawnAt(city, 'driver 1', 2000)[1]).toBeCloseTo(40, 4);
    expect(drawnAt(city, 'driver 1', 2500)[1]).toBeCloseTo(40.005, 4);
    expect(drawnAt(city, 'driver 1', 9000)[1]).toBeCloseTo(40.01, 4);
  });

  it('turn where they are drawn when the next report comes early', () => {
    const city = start();
    applyChange(city, change({ moves: [{ key: 1, point: { lat: 40, lng: -74 }, heading_deg: 180 }] }), 2500);
    expect(drawnAt(city, 'driver 1', 2500)[1]).toBeCloseTo(40.005, 4);
    expect(drawnAt(city, 'driver 1', 3000)[1]).toBeCloseTo(40, 4);
  });

  it('do not glide across the city, nor around the world', () => {
    const city = start();
    applyChange(city, change({ moves: [{ key: 1, point: { lat: 40.5, lng: -74 }, heading_deg: 0 }] }), 3000);
    expect(drawnAt(city, 'driver 1', 3000)[1]).toBeCloseTo(40.5, 4);
  });

  it('say how fast they go, until all have arrived', () => {
    const { drivers } = start();
    const out = new Float32Array(2);
    expect(drivers.positionsAt(Uint32Array.of(0), 1, 2999, out)).toBeCloseTo(0.01 / 1000, 9);
    expect(drivers.positionsAt(Uint32Array.of(0), 1, 3000, out)).toBe(0);
  });
});

describe('bounds', () => {
  it('hold all drivers and pickups', () => {
    const city = emptyCity();
    expect(boundsOf(city)).toBeNull();
    applyChange(city, change({ drivers: [driver(1, { point: { lat: 41, lng: -75 } }), driver(2, { point: undefined })], trips: [trip('t', 1)] }), 0);
    expect(boundsOf(city)).toEqual({ west: -75, south: 40, east: -74, north: 41 });
  });

  it('leave out the few who are far away', () => {
    const city = emptyCity();
    applyChange(city, change({ drivers: Array.from({ length: 100 }, (_, i) => driver(i, { point: { lat: 40, lng: i === 50 ? 10 : -74 } })) }), 0);
    expect(boundsOf(city)).toEqual({ west: -74, south: 40, east: -74, north: 40 });
  });

  it('may cross the antimeridian', () => {
    const fiji = { west: 170, south: -20, east: -170, north: -10 };
    expect([within(fiji, 175, -15), within(fiji, -175, -15), within(fiji, 0, -15), within(fiji, 175, 0)]).toEqual([true, true, false, false]);
    expect(within({ west: -75, south: 40, east: -73, north: 41 }, -74, 40.5)).toBe(true);
  });
});

describe('the store', () => {
  it('tells once per frame, and only those whose slice changed', () => {
    const due: (() => void)[] = [];
    const store = new CityStore({ now: () => 0, soon: (run) => due.push(run) });
    const heard: string[] = [];
    const stop = store.subscribe('trips', () => heard.push('trips'));
    store.subscribe('cells', () => heard.push('cells'));
    store.take(change({ trips: [trip('a', 1)] }));
    store.take(change({ trips: [trip('b', 1)] }));
    expect([due.length, heard, store.version('trips')]).toEqual([1, [], 2]);
    due[0]?.();
    expect(heard).toEqual(['trips']);
    store.take(change());
    expect(due).toHaveLength(1);
    stop();
    store.take(change({ trips: [trip('c', 1)] }));
    due[1]?.();
    expect(heard).toEqual(['trips']);
  });
});
