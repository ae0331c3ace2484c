import { bearingBetween, between, distanceBetween, wrapLng, type LatLng } from './geo';

/** A planned way that can be measured: its points, and for each how far it is from the beginning, in metres. */
export interface Way {
  readonly points: readonly LatLng[];
  readonly alongM: readonly number[];
  readonly lengthM: number;
}

/** Where something is on a way. */
export interface OnWay {
  /** From the way's beginning, in metres. */
  readonly alongM: number;
  /** Between the place and the way, in metres. */
  readonly awayM: number;
}

/** Measures a line; null if it is no line. */
export function measure(points: readonly LatLng[]): Way | null {
  if (points.length < 2) return null;
  let at = 0;
  const alongM = points.map((p, i) => (at += i === 0 ? 0 : distanceBetween(points[i - 1] ?? p, p)));
  return { points, alongM, lengthM: at };
}

/** Places whose distances from a way differ by less than this, in metres, are distinguished by what is expected. */
const alikeM = 15;
const earthRadius = 6_371_008.8;
const rad = Math.PI / 180;

/**
 * The place on a way that is nearest to a point. Where a way passes by twice, as around a block, the part nearest to
 * `expectedM` from its beginning counts.
 */
export function placeOn(way: Way, at: LatLng, expectedM = 0): OnWay {
  const found: OnWay[] = [];
  let least = Infinity;
  for (let i = 1; i < way.points.length; i++) {
    const on = onStretch(way, i, at);
    least = Math.min(least, on.awayM);
    found.push(on);
  }
  const off = (on: OnWay) => Math.abs(on.alongM - expectedM);
  return found.filter((on) => on.awayM <= least + alikeM).reduce((best, on) => {
    // The same stretch is met at both sides of a corner: the nearer one of neighbours counts.
    if (Math.abs(on.alongM - best.alongM) < 2 * alikeM) return on.awayM < best.awayM ? on : best;
    return off(on) < off(best) ? on : best;
  });
}

/** The nearest place on the stretch that ends with point `i`, on flat ground around the place. */
function onStretch(way: Way, i: number, at: LatLng): OnWay {
  const flat = (p: LatLng | undefined): [number, number] => {
    const q = p ?? at;
    return [wrapLng(q.lng - at.lng) * rad * earthRadius * Math.cos(at.lat * rad), (q.lat - at.lat) * rad * earthRadius];
  };
  const [ax, ay] = flat(way.points[i - 1]);
  const [bx, by] = flat(way.points[i]);
  const [dx, dy] = [bx - ax, by - ay];
  const square = dx * dx + dy * dy;
  const share = square === 0 ? 0 : Math.min(1, Math.max(0, -(ax * dx + ay * dy) / square));
  const [from, to] = [way.alongM[i - 1] ?? 0, way.alongM[i] ?? 0];
  return { alongM: from + (to - from) * share, awayM: Math.hypot(ax + dx * share, ay + dy * share) };
}

/** The index of the stretch's end that holds a place on the way, at least 1. */
function endAfter(way: Way, alongM: number): number {
  let [low, high] = [1, way.points.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((way.alongM[middle] ?? 0) > alongM) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The point that is so many metres from the way's beginning; its ends beyond them. */
export function pointAt(way: Way, alongM: number): LatLng {
  const i = endAfter(way, alongM);
  const [a, b] = [way.points[i - 1], way.points[i]];
  const [from, to] = [way.alongM[i - 1] ?? 0, way.alongM[i] ?? 0];
  if (!a || !b) throw new Error('a way of less than two points');
  return between(a, b, to === from ? 1 : Math.min(1, Math.max(0, (alongM - from) / (to - from))));
}

/** How long a car is about: corners are rounded over so many metres. */
const cornerM = 6;

/** The direction of the way at a place, in degrees clockwise from north. It turns through a corner instead of jumping. */
export function bearingAt(way: Way, alongM: number): number {
  const from = Math.max(0, Math.min(alongM - cornerM, way.lengthM - 2 * cornerM));
  return bearingBetween(pointAt(way, from), pointAt(way, Math.min(way.lengthM, from + 2 * cornerM)));
}

/** Two opposite corners of the smallest box around a way. */
export function cornersOf(way: Way): readonly [LatLng, LatLng] {
  const first = way.points[0] ?? { lat: 0, lng: 0 };
  let [south, north, west, east] = [first.lat, first.lat, 0, 0];
  for (const p of way.points) {
    [south, north] = [Math.min(south, p.lat), Math.max(north, p.lat)];
    const lng = wrapLng(p.lng - first.lng);
    [west, east] = [Math.min(west, lng), Math.max(east, lng)];
  }
  return [{ lat: south, lng: wrapLng(first.lng + west) }, { lat: north, lng: wrapLng(first.lng + east) }];
}
