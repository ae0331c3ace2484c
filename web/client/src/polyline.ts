import type { Point } from './gen/messages.js';

/**
 * Reads the line of a route: the encoded polyline format with 5 decimals. Throws a `TypeError` for text that is none.
 *
 * The format is Google's: https://developers.google.com/maps/documentation/utilities/polylinealgorithm
 */
export function decodePolyline(polyline: string): Point[] {
  const points: Point[] = [];
  let at = 0;
  const next = (): number => {
    let bits = 0;
    for (let shift = 0; shift < 30; shift += 5) {
      const five = polyline.charCodeAt(at++) - 63; // NaN beyond the end
      if (!(five >= 0 && five < 64)) break;
      bits |= (five & 31) << shift;
      if (five < 32) return bits & 1 ? ~(bits >> 1) : bits >> 1;
    }
    throw new TypeError('Not a polyline');
  };
  let lat = 0;
  let lng = 0;
  while (at < polyline.length) {
    lat += next();
    lng += next();
    points.push({ lat: lat / 1e5, lng: lng / 1e5 });
  }
  return points;
}
