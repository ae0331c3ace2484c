import type { Point } from '@hexhail/client';

/** A place that was chosen, with its address as far as one is known. */
export interface Place {
  readonly point: Point;
  readonly address: string;
}

/** A place that a search found. */
export interface Found extends Place {
  /** What distinguishes it from others of its name: the town, the street. */
  readonly context: string;
}

/** The address of a search: a Photon server, or anything that answers like Photon or Nominatim; perhaps a path of this server. */
export function searchUrl(geocoder: string, q: string, near: Point | undefined, language: string): string {
  const url = new URL(geocoder, document.baseURI);
  if (url.pathname === '/') url.pathname = '/api/';
  url.searchParams.set('q', q);
  url.searchParams.set('limit', '6');
  url.searchParams.set('lang', languageOf(language));
  if (near) {
    url.searchParams.set('lat', near.lat.toFixed(4));
    url.searchParams.set('lon', near.lng.toFixed(4));
  }
  if (isNominatim(url)) url.searchParams.set('format', 'jsonv2');
  return url.href;
}

/** The address that says what people call a point. */
export function reverseUrl(geocoder: string, point: Point, language: string): string {
  const url = new URL(geocoder, document.baseURI);
  if (isNominatim(url)) url.searchParams.set('format', 'jsonv2');
  url.pathname = url.pathname.replace(/\/(api|search)?\/?$/, '/reverse');
  url.searchParams.set('lang', languageOf(language));
  url.searchParams.set('lat', point.lat.toFixed(5));
  url.searchParams.set('lon', point.lng.toFixed(5));
  return url.href;
}

/** Photon speaks no Korean; "default" is the local language. */
const languageOf = (language: string): string => (language === 'ko' ? 'default' : language);
const isNominatim = (url: URL): boolean => /nominatim|\/search$/.test(url.origin + url.pathname);

/** Searches for places by their name or address. Throws when the geocoder cannot be reached or makes no sense. */
export async function search(url: string, signal: AbortSignal, fetchImpl: typeof fetch = fetch): Promise<Found[]> {
  const answer = await fetchImpl(url, { signal, credentials: 'omit', referrerPolicy: 'origin' });
  if (!answer.ok) throw new Error(`the geocoder answered ${answer.status}`);
  return parse(await answer.json());
}

/** What people call a point; empty when it has no name. Throws as search does. */
export async function nameOf(url: string, signal: AbortSignal, fetchImpl: typeof fetch = fetch): Promise<string> {
  return (await search(url, signal, fetchImpl))[0]?.address ?? '';
}

/** Reads an answer of Photon (GeoJSON) or Nominatim (a list). What has no name or no point is left out. */
export function parse(answer: unknown): Found[] {
  if (Array.isArray(answer)) return answer.flatMap(ofNominatim);
  if (isObject(answer) && Array.isArray(answer.features)) return answer.features.flatMap(ofPhoton);
  // Nominatim names one place, or says that it cannot.
  if (isObject(answer) && ('display_name' in answer || 'error' in answer)) return ofNominatim(answer);
  throw new Error('the geocoder answered neither as Photon nor as Nominatim does');
}

function ofPhoton(feature: unknown): Found[] {
  if (!isObject(feature) || !isObject(feature.properties) || !isObject(feature.geometry)) return [];
  const p = feature.properties;
  const at = feature.geometry.coordinates;
  const point = Array.isArray(at) ? pointOf(at[1], at[0]) : null;
  const street = [text(p.street), text(p.housenumber)].filter(Boolean).join(' ');
  const name = text(p.name) || street || text(p.city);
  if (!point || !name) return [];
  const rest = [name === street ? '' : street, text(p.district), text(p.city), text(p.state)].filter((s) => s && s !== name);
  return [{ point, address: name, context: [...new Set(rest)].slice(0, 2).join(', ') }];
}

function ofNominatim(place: unknown): Found[] {
  if (!isObject(place)) return [];
  const point = pointOf(Number(place.lat), Number(place.lon));
  const [name, ...rest] = text(place.display_name).split(', ');
  if (!point || !name) return [];
  return [{ point, address: name, context: rest.slice(0, 2).join(', ') }];
}

function pointOf(lat: unknown, lng: unknown): Point | null {
  if (typeof lat !== 'number' || typeof lng !== 'number') return null;
  return Math.abs(lat) <= 90 && Math.abs(lng) <= 180 ? { lat, lng } : null;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
