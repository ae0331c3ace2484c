import type { Quote } from '@hexhail/client';
import { describe, expect, it, vi } from 'vitest';

import { headingTo } from '../../lib/map/geo';
import { clip } from '../../lib/trip/text';
import { draftOf, emptyDraft, missingEnd, requestOf, swapped, type WholeDraft } from './draft';
import { progress } from './eta';
import { trip } from '../../test/fixtures';
import { nameOf, parse, reverseUrl, search, searchUrl } from '../../lib/geocode';
import { Memory } from './memory';
import { chosenClass, isOutdated, staleMs } from './quotes';
import { clockText } from '../../lib/clock';
import { secondsLeft } from './time';

const a = { lat: 37.4979, lng: 127.0276 };
const b = { lat: 37.5172, lng: 127.0473 };

describe('the plan', () => {
  it('knows what is missing, and swaps also half of it', () => {
    const half = { ...emptyDraft, pickup: { point: a, address: 'A' } };
    expect(missingEnd(emptyDraft)).toBe('pickup');
    expect(missingEnd(half)).toBe('dropoff');
    expect(swapped(half)).toEqual({ ...emptyDraft, dropoff: { point: a, address: 'A' } });
  });

  it('of a trip asks for the same again', () => {
    const draft = draftOf(trip({ note: 'Blue coat', passengers: 2 })) as WholeDraft;
    expect(requestOf(draft, 'standard')).toEqual({
      pickup: a, dropoff: b, pickup_address: '', dropoff_address: 'Cheongdam Park', vehicle_class: 'standard', passengers: 2, note: 'Blue coat',
    });
  });
});

describe('the memory', () => {
  function storage(text: string | null = null) {
    return { text, getItem() { return this.text; }, setItem(_: string, value: string) { this.text = value; } };
  }

  it('outlives a reload, and forgets a plan that nobody touched for half an hour', () => {
    const kept = storage();
    const memory = new Memory(kept, 'k', () => 1000);
    memory.patch({ draft: { ...emptyDraft, note: 'x' }, dismissed: 't1' });
    expect(new Memory(kept, 'k', () => 1000 + 29 * 60_000).get()).toMatchObject({ draft: { note: 'x' }, dismissed: 't1' });
    const later = new Memory(kept, 'k', () => 1000 + 31 * 60_000).get();
    expect(later.draft).toBeUndefined();
    expect(later.dismissed).toBe('t1');
  });

  it('begins anew with a text that is none of ours, and goes on without a storage', () => {
    expect(new Memory(storage('{'), 'k').get()).toEqual({});
    const memory = new Memory({ getItem: () => null, setItem: () => { throw new Error('full'); } }, 'k');
    memory.patch({ dismissed: 't1' });
    expect(memory.get().dismissed).toBe('t1');
  });
});

describe('quotes', () => {
  const quote = (vehicle_class: string, drivers_nearby: number): Quote => ({
    vehicle_class, drivers_nearby, distance_m: 1, duration_s: 1, fare: { minor: 1, currency: 'USD' }, pickup_eta_s: 60,
  });
  const list = [quote('standard', 0), quote('comfort', 2), quote('van', 0)];
  const seats = (c: string) => (c === 'van' ? 6 : 4);

  it('are outdated after a while, not before, and not before there are any', () => {
    expect(isOutdated(1000, 1000 + staleMs)).toBe(false);
    expect(isOutdated(1000, 1001 + staleMs)).toBe(true);
    expect(isOutdated(0, 1e12)).toBe(false);
  });

  it('prefer the rider’s class, then one with drivers, and always one with seats', () => {
    expect(chosenClass(list, 'standard', seats, 1)).toBe('standard');
    expect(chosenClass(list, '', seats, 1)).toBe('comfort');
    expect(chosenClass(list, 'standard', seats, 5)).toBe('van');
    expect(chosenClass(list, '', seats, 9)).toBe('');
  });
});

describe('time and way', () => {
  it('counts down to zero and no further', () => {
    const now = Date.parse('2026-11-22T15:30:00Z');
    expect(secondsLeft('2026-11-22T15:31:04.2Z', now)).toBe(65);
    expect(secondsLeft('2026-11-22T15:29:00Z', now)).toBe(0);
    expect(secondsLeft('', now)).toBe(0);
    expect([65, 9, 0].map(clockText)).toEqual(['1:05', '0:09', '0:00']);
  });

  it('tells how much of the way is behind', () => {
    expect(progress(a, b, a)).toBe(0);
    expect(progress(a, b, b)).toBe(1);
    expect(progress(a, b, { lat: (a.lat + b.lat) / 2, lng: (a.lng + b.lng) / 2 })).toBeCloseTo(0.5, 3);
    expect(progress(a, a, a)).toBe(1);
  });

  it('names directions', () => {
    expect(headingTo(a, { ...a, lat: a.lat + 1 })).toBe('n');
    expect(headingTo(a, b)).toBe('ne');
    expect(headingTo(a, { ...a, lng: a.lng - 1 })).toBe('w');
  });

  it('cuts texts by bytes, never through a character', () => {
    expect(clip('가나다', 7)).toBe('가나');
    expect(clip('ab', 2)).toBe('ab');
    expect(clip('a🚕b', 4)).toBe('a');
  });
});

describe('the search for places', () => {
  const words = { house: (street: string, number: string) => `${street} ${number}`, near: (street: string, cross: string) => `${street}, near ${cross}` };

  it('asks Photon at its own path, and other addresses as they are', () => {
    expect(searchUrl('https://p.example', 'Main 1', a, 'en')).toBe('https://p.example/api/?q=Main+1&limit=6&lang=en&lat=37.4979&lon=127.0276');
    expect(searchUrl('https://n.example/search', 'x', undefined, 'ko')).toBe('https://n.example/search?q=x&limit=6&lang=default&format=jsonv2');
    expect(searchUrl('/v1/search', 'x', undefined, 'ko')).toBe(`${location.origin}/v1/search?q=x&limit=6&lang=ko`);
  });

  it('asks what a point is called', async () => {
    const query = 'lat=37.49790&lon=127.02760';
    expect(reverseUrl('https://p.example', a, 'en')).toBe(`https://p.example/reverse?lang=en&${query}`);
    expect(reverseUrl('https://p.example/api/', a, 'ko')).toBe(`https://p.example/reverse?lang=default&${query}`);
    expect(reverseUrl('https://n.example/search?key=1', a, 'en')).toBe(`https://n.example/reverse?key=1&lang=en&format=jsonv2&${query}`);
    expect(reverseUrl('/v1/search', a, 'ko')).toBe(`${location.origin}/v1/reverse?lang=ko&${query}`);
    const answers = (body: unknown) => () => Promise.resolve(new Response(JSON.stringify(body)));
    const { signal } = new AbortController();
    expect(await nameOf('x', words, signal, answers({ display_name: 'Park, Seoul', lat: '37.5', lon: '127.1' }))).toBe('Park');
    expect(await nameOf('x', words, signal, answers({ error: 'Unable to geocode' }))).toBe('');
    expect(await nameOf('x', words, signal, answers({ features: [] }))).toBe('');
  });

  it('reads Photon and Nominatim, and leaves out what is no place', () => {
    const photon = { features: [
      { properties: { name: 'Station', street: 'Main Street', housenumber: '1', city: 'Seoul' }, geometry: { coordinates: [127.1, 37.5] } },
      { properties: { street: 'Main Street', housenumber: '2', city: 'Seoul' }, geometry: { coordinates: [127.2, 37.6] } },
      { properties: {}, geometry: { coordinates: [1, 2] } },
      { properties: { name: 'Nowhere' }, geometry: { coordinates: [400, 2] } },
    ] };
    expect(parse(photon, words).places).toEqual([
      { point: { lat: 37.5, lng: 127.1 }, address: 'Station', context: 'Main Street 1, Seoul' },
      { point: { lat: 37.6, lng: 127.2 }, address: 'Main Street 2', context: 'Seoul' },
    ]);
    expect(parse([{ display_name: 'Park, Gangnam, Seoul, Korea', lat: '37.5', lon: '127.1' }, null], words).places).toEqual([
      { point: { lat: 37.5, lng: 127.1 }, address: 'Park', context: 'Gangnam, Seoul' },
    ]);
    expect(() => parse({}, words)).toThrow(/neither/);
  });

  it('reads what Hexhail says beyond that', () => {
    const at = { coordinates: [-73.98, 40.75] };
    const answer = { attribution: '© OpenStreetMap contributors', attribution_url: 'https://www.openstreetmap.org/copyright', apart: ['5th Avenue', '6th Avenue'], features: [
      { properties: { kind: 'crossing', name: '5th Avenue & West 34th Street', street: '5th Avenue', cross: 'West 34th Street', district: 'Midtown' }, geometry: at },
      { properties: { kind: 'street', name: '6th Avenue', also: 'Avenue of the Americas', near: 'West 35th Street' }, geometry: at },
    ] };
    const point = { lat: 40.75, lng: -73.98 };
    expect(parse(answer, words)).toEqual({
      apart: ['5th Avenue', '6th Avenue'], credit: { text: '© OpenStreetMap contributors', url: 'https://www.openstreetmap.org/copyright' },
      places: [
        { point, address: '5th Avenue & West 34th Street', context: 'Midtown' },
        { point, address: '6th Avenue, near West 35th Street', context: 'Avenue of the Americas' },
      ],
    });
    expect(parse({ features: [], attribution: 'x', attribution_url: 'javascript:alert(1)', apart: ['one'] }, words)).toEqual({ places: [], apart: null, credit: null });
  });

  it('fails where the geocoder fails', async () => {
    const down = vi.fn(() => Promise.resolve(new Response('', { status: 503 })));
    await expect(search('https://p.example/api/', words, new AbortController().signal, down)).rejects.toThrow('503');
  });
});
