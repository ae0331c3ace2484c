import type { Home } from './home';

const lastPlaceKey = 'hexhail.map';
/** A view of less than a city is no place to come back to. */
const leastZoom = 9;

/** Remembers what a map looks at, coarsely: three decimals are some hundred metres. */
export function keepLastPlace(view: Home): void {
  if (view.zoom < leastZoom) return;
  const { lat, lng } = view.center;
  try {
    localStorage.setItem(lastPlaceKey, JSON.stringify({ center: { lat: round(lat, 3), lng: round(lng, 3) }, zoom: round(Math.min(view.zoom, 14), 1) }));
  } catch {
    // A full or forbidden storage costs a convenience.
  }
}

/** Forgets it, at log-out: the next person's map is their own. */
export function forgetLastPlace(): void {
  localStorage.removeItem(lastPlaceKey);
}

/** The last place that was looked at on this device, if any. */
export function readLastPlace(): Home | null {
  try {
    const stored = JSON.parse(localStorage.getItem(lastPlaceKey) ?? 'null') as Partial<Home> | null;
    const { lat, lng } = stored?.center ?? {};
    if (!isWithin(lat, 90) || !isWithin(lng, 180) || !isWithin(stored?.zoom, 22)) return null;
    return { center: { lat, lng }, zoom: stored.zoom };
  } catch {
    return null;
  }
}

const isWithin = (n: unknown, limit: number): n is number => typeof n === 'number' && Math.abs(n) <= limit;
const round = (n: number, digits: number): number => Number(n.toFixed(digits));
