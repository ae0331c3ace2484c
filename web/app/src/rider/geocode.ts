import type { Point } from '@hexhail/client';

import type { Place } from './draft';

/** A place that a search found. */
export interface Found extends Place {
  /** What tells it from others of its name: the town, the street. */
  readonly context: string;
}

/** The address of a search: a Photon server, or anything that answers like Photon or Nominatim. */
export function searchUrl(geocoder: string, q: string, near: Point | undefined, language: string): string {
  const url = new URL(geocoder);
  if (url.pathname === '/') url.pathname = '/api/';
  url.searchParams.set('q', q);
  url.searchParams.set('limit', '6');
  url.searchParams.set('lang', language === 'ko' ? 'default' : language); // Photon speaks no Korean; "default" is the local one
  if (near) {
    url.searchParams.set('lat', near.lat.toFixed(4));
    url.searchParams.set('lon', near.lng.toFixed(4));
  }
  if (/nominatim|\/search$/.test(url.href.split('?')[0] ?? '')) url.searchParams.set('format', 'jsonv2');
  return url.href;
}

/** Searches for places by their name or address. Throws when the geocoder cannot be reached or makes no sense. */
export async function search(url: string, signal: AbortSignal, fetchImpl: typeof fetch = fetch): Promise<Found[]> {
  const answer = await fetchImpl(url, { signal, credentials: 'omit', referrerPolicy: 'origin' });
  if (!answer.ok) throw new Error(`the geocoder answered ${answer.status}`);
  return parse(await answer.json());
}

/** Reads an answer of Photon (GeoJSON) or Nominatim (a list). What has no name or no point is left out. */
export function parse(answer: unknown): Found[] {
  if (Array.isArray(answer)) return answer.flatMap(ofNominatim);
  if (isObject(answer) && Array.isArray(answer.features)) return answer.features.flatMap(ofPhoton);
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
