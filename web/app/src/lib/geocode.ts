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

/** What a search found. */
export interface Findings {
  readonly places: readonly Found[];
  /** Two streets that were asked for and do not cross; null if that is not so. */
  readonly apart: readonly [string, string] | null;
  /** Whom to thank for the names, with the page that says so; null where the geocoder asks for nothing. */
  readonly credit: { readonly text: string; readonly url: string } | null;
}

/** How the parts of a name are put together, which languages do differently. */
export interface NameWords {
  readonly house: (street: string, number: string) => string;
  readonly near: (street: string, cross: string) => string;
}

/** The address of a search: a Photon server, or anything that answers like Photon or Nominatim; perhaps a path of this server. */
export function searchUrl(geocoder: string, q: string, near: Point | undefined, language: string): string {
  const url = new URL(geocoder, document.baseURI);
  if (url.pathname === '/') url.pathname = '/api/';
  url.searchParams.set('q', q);
  url.searchParams.set('limit', '6');
  url.searchParams.set('lang', languageOf(url, language));
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
  url.searchParams.set('lang', languageOf(url, language));
  if (isNominatim(url)) url.searchParams.set('format', 'jsonv2');
  url.pathname = url.pathname.replace(/\/(api|search)?\/?$/, '/reverse');
  url.searchParams.set('lat', point.lat.toFixed(5));
  url.searchParams.set('lon', point.lng.toFixed(5));
  return url.href;
}

/** Whether Hexhail itself is asked, which finds names in its own map. */
const isOwn = (url: URL): boolean => url.pathname === '/v1/search';
/** Photon speaks no Korean; "default" is the local language. */
const languageOf = (url: URL, language: string): string => (language === 'ko' && !isOwn(url) ? 'default' : language);
const isNominatim = (url: URL): boolean => !isOwn(url) && /nominatim|\/search$/.test(url.origin + url.pathname);

/** Searches for places by their name or address. Throws when the geocoder cannot be reached or makes no sense. */
export async function search(url: string, words: NameWords, signal: AbortSignal, fetchImpl: typeof fetch = fetch): Promise<Findings> {
  const answer = await fetchImpl(url, { signal, credentials: 'omit', referrerPolicy: 'origin' });
  if (!answer.ok) throw new Error(`the geocoder answered ${answer.status}`);
  return parse(await answer.json(), words);
}

/** What people call a point; empty when it has no name. Throws as search does. */
export async function nameOf(url: string, words: NameWords, signal: AbortSignal, fetchImpl: typeof fetch = fetch): Promise<string> {
  return (await search(url, words, signal, fetchImpl)).places[0]?.address ?? '';
}

/** Reads an answer of Hexhail or Photon (GeoJSON) or Nominatim (a list). What has no name or no point is left out. */
export function parse(answer: unknown, words: NameWords): Findings {
  const found = (places: Found[]): Findings => ({ places, apart: null, credit: null });
  if (Array.isArray(answer)) return found(answer.flatMap(ofNominatim));
  if (isObject(answer) && Array.isArray(answer.features)) {
    return { ...found(answer.features.flatMap((f) => ofPhoton(f, words))), apart: apartIn(answer.apart), credit: creditIn(answer) };
  }
  // Nominatim names one place, or says that it cannot.
  if (isObject(answer) && ('display_name' in answer || 'error' in answer)) return found(ofNominatim(answer));
  throw new Error('the geocoder answered neither as Photon nor as Nominatim does');
}

function apartIn(value: unknown): Findings['apart'] {
  if (!Array.isArray(value)) return null;
  const [a, b] = [text(value[0]), text(value[1])];
  return a && b ? [a, b] : null;
}

function creditIn(answer: Record<string, unknown>): Findings['credit'] {
  const [credit, url] = [text(answer.attribution), text(answer.attribution_url)];
  return credit && url.startsWith('https://') ? { text: credit, url } : null;
}

function ofPhoton(feature: unknown, words: NameWords): Found[] {
  if (!isObject(feature) || !isObject(feature.properties) || !isObject(feature.geometry)) return [];
  const p = feature.properties;
  const at = feature.geometry.coordinates;
  const point = Array.isArray(at) ? pointOf(at[1], at[0]) : null;
  const number = text(p.housenumber);
  const street = text(p.street) && number ? words.house(text(p.street), number) : text(p.street) || number;
  const name = text(p.name) || street || text(p.city);
  if (!point || !name) return [];
  // Of a crossing the name has both streets.
  const rest = [text(p.also), text(p.cross) || name === street ? '' : street, text(p.district), text(p.city), text(p.state)].filter((s) => s && s !== name);
  return [{ point, address: text(p.near) ? words.near(name, text(p.near)) : name, context: [...new Set(rest)].slice(0, 2).join(', ') }];
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
