/** A WGS84 position in degrees. */
export interface LatLng {
  readonly lat: number;
  readonly lng: number;
}

const earthRadius = 6_371_008.8;
const rad = Math.PI / 180;

/** The straight-line distance in metres. */
export function distanceBetween(a: LatLng, b: LatLng): number {
  const dLat = (b.lat - a.lat) * rad;
  const dLng = (b.lng - a.lng) * rad;
  const h = Math.sin(dLat / 2) ** 2 + Math.cos(a.lat * rad) * Math.cos(b.lat * rad) * Math.sin(dLng / 2) ** 2;
  return 2 * earthRadius * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** The direction from a to b in degrees, clockwise from north, 0 up to 360. */
export function bearingBetween(a: LatLng, b: LatLng): number {
  const dLng = (b.lng - a.lng) * rad;
  const y = Math.sin(dLng) * Math.cos(b.lat * rad);
  const x = Math.cos(a.lat * rad) * Math.sin(b.lat * rad) - Math.sin(a.lat * rad) * Math.cos(b.lat * rad) * Math.cos(dLng);
  return (Math.atan2(y, x) / rad + 360) % 360;
}

/** Keeps a longitude within -180 up to 180. */
export function wrapLng(lng: number): number {
  if (lng >= -180 && lng < 180) return lng; // not a digit of it changes
  return ((((lng + 180) % 360) + 360) % 360) - 180;
}

/** The point at a share (0 to 1) of the way from a to b; the short way over the antimeridian. */
export function between(a: LatLng, b: LatLng, share: number): LatLng {
  const dLng = wrapLng(b.lng - a.lng);
  return { lat: a.lat + (b.lat - a.lat) * share, lng: wrapLng(a.lng + dLng * share) };
}

/** The point at a distance in metres and a bearing in degrees. */
export function offsetBy(from: LatLng, metres: number, bearingDeg: number): LatLng {
  const d = metres / earthRadius;
  const b = bearingDeg * rad;
  const lat1 = from.lat * rad;
  const lat2 = Math.asin(Math.sin(lat1) * Math.cos(d) + Math.cos(lat1) * Math.sin(d) * Math.cos(b));
  const dLng = Math.atan2(Math.sin(b) * Math.sin(d) * Math.cos(lat1), Math.cos(d) - Math.sin(lat1) * Math.sin(lat2));
  return { lat: lat2 / rad, lng: wrapLng(from.lng + dLng / rad) };
}

/** A circle on the ground as a closed ring of GeoJSON coordinates. */
export function circleRing(center: LatLng, radiusM: number, corners = 64): [number, number][] {
  const ring = Array.from({ length: corners }, (_, i): [number, number] => {
    const p = offsetBy(center, radiusM, (360 * i) / corners);
    // Stay beside the centre, so that a circle over the antimeridian is not torn.
    return [center.lng + wrapLng(p.lng - center.lng), p.lat];
  });
  const first = ring[0];
  return first ? [...ring, first] : ring;
}

/** Reads what a person typed as a latitude or longitude; null if it is none. A decimal comma counts, too. */
export function readDegrees(text: string, limit: 90 | 180): number | null {
  const t = text.trim().replace(',', '.');
  if (!/^[+-]?\d{1,3}(\.\d+)?$/.test(t)) return null;
  const n = Number(t);
  return Math.abs(n) <= limit ? n : null;
}

/** Reads "40.7527, -73.9772" as it is copied from other maps; null if it is no pair of degrees. */
export function readPair(text: string): LatLng | null {
  const parts = /^\s*([+-]?\d{1,3}(?:\.\d+)?)\s*[,;\s]\s*([+-]?\d{1,3}(?:\.\d+)?)\s*$/.exec(text);
  if (!parts) return null;
  const lat = readDegrees(parts[1] ?? '', 90);
  const lng = readDegrees(parts[2] ?? '', 180);
  return lat === null || lng === null ? null : { lat, lng };
}

export const headings = ['n', 'ne', 'e', 'se', 's', 'sw', 'w', 'nw'] as const;
export type Heading = (typeof headings)[number];

/** The direction from one point to another, as one of eight. */
export function headingTo(from: LatLng, to: LatLng): Heading {
  return headings[Math.round(bearingBetween(from, to) / 45) % 8] ?? 'n';
}
