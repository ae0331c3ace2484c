import type { RouteStep, TripRoute } from '@hexhail/client';

import { offsetBy, type LatLng } from '../../../lib/map/geo';
import { measure, type Way } from '../../../lib/map/way';

// What tests of turns drive along: 400 m up First Street, 300 m right along Second, 100 m left along Third, and there.

const begin: LatLng = { lat: 40.75, lng: -73.98 };
const first = offsetBy(begin, 400, 0);
const second = offsetBy(first, 300, 90);
const end = offsetBy(second, 100, 0);

const step = (turn: RouteStep['turn'], street: string, distance_m: number, index: number, change: Partial<RouteStep> = {}): RouteStep =>
  ({ turn, street, exit: 0, distance_m, duration_s: distance_m / 10, index, ...change });

export const steps: readonly RouteStep[] = [
  step('depart', 'First Street', 400, 0), step('right', 'Second Street', 300, 1), step('left', 'Third Street', 100, 2), step('arrive', 'Third Street', 0, 3),
];

const line = [begin, first, second, end];

/** The measured line of the route. */
export function streetWay(): Way {
  const way = measure(line);
  if (!way) throw new Error('no way');
  return way;
}

export const aStep = step;

/** The route, with another line or other steps. */
export const route = (change: Partial<TripRoute> = {}): TripRoute => ({
  trip_id: 't1', revision: 1, leg: 'pickup', by: 'streets', polyline: encode(line), distance_m: 800, duration_s: 80, steps, map_id: 'm', ...change,
});

/** Writes a line as routes have it. */
export function encode(points: readonly LatLng[]): string {
  let [lat, lng, text] = [0, 0, ''];
  const put = (by: number) => {
    let bits = by < 0 ? ~(by << 1) : by << 1;
    for (; bits >= 32; bits >>= 5) text += String.fromCharCode((32 | (bits & 31)) + 63);
    text += String.fromCharCode(bits + 63);
  };
  for (const p of points) {
    const [y, x] = [Math.round(p.lat * 1e5), Math.round(p.lng * 1e5)];
    put(y - lat);
    put(x - lng);
    [lat, lng] = [y, x];
  }
  return text;
}
