import type { Trip } from '@hexhail/client';
import i18next, { type TFunction } from 'i18next';
import { beforeAll, describe, expect, it } from 'vitest';

import en from '../../locales/en/trips.json';
import ko from '../../locales/ko/trips.json';
import { trip } from '../../test/fixtures';
import { byDay, mergePages } from './list';
import { story, type TripEvent } from './timeline';
import { placeText, reasonText } from '../../lib/trip/words';

let words: Record<'en' | 'ko', TFunction<'trips'>>;
beforeAll(async () => {
  const i18n = i18next.createInstance();
  await i18n.init({ lng: 'en', ns: ['trips'], defaultNS: 'trips', resources: { en: { trips: en }, ko: { trips: ko } }, interpolation: { escapeValue: false } });
  words = { en: i18n.getFixedT('en', 'trips'), ko: i18n.getFixedT('ko', 'trips') };
});

const event = (version: number, kind: TripEvent['kind'], change: Partial<TripEvent> = {}): TripEvent => ({
  version, kind, at: '2026-11-22T15:30:00Z', ...change,
});

describe('the story of a trip', () => {
  const events = [
    event(1, 'requested'), event(2, 'wave_planned', { wave: 1, ring: 1 }), event(3, 'wave_planned', { wave: 2, ring: 2 }),
    event(4, 'wave_planned', { wave: 3, ring: 3, asked: 2 }), event(5, 'offers_ended'), event(6, 'matched'),
    event(7, 'released', { by: 'driver' }), event(8, 'wave_planned', { wave: 4, ring: 3, asked: 1 }), event(9, 'matched'),
    event(10, 'arrived'), event(11, 'started'), event(12, 'completed', { by: 'driver' }), event(13, 'rated', { by: 'rider', stars: 5 }),
  ];
  const read = (language: 'en' | 'ko', reader: 'rider' | 'driver' = 'rider') => story(words[language], events, reader).map((s) => s.text);

  it('reads in English for the rider, with rounds that found no driver in one line', () => {
    expect(read('en')).toEqual([
      'You requested a ride', 'No drivers available nearby, 2 times in a row', '2 drivers notified', 'A driver was matched',
      'Your driver cancelled; the search continued', '1 driver notified', 'A driver was matched',
      'The driver arrived at the pickup', 'The ride started', 'You arrived', 'You gave 5 stars',
    ]);
  });

  it('reads in Korean', () => {
    expect(read('ko').slice(0, 4)).toEqual([
      '차량을 호출했습니다', '주변에 빈 차가 없었습니다 (2회)', '기사 2명에게 호출을 보냈습니다', '기사님이 배정되었습니다',
    ]);
    expect(read('ko').join()).not.toContain('{{');
  });

  it('says how far a search reached in metres, not in cells', () => {
    const details = (cellRingM?: number) => story(words.en, events, 'rider', cellRingM).map((s) => s.detail).filter(Boolean);
    expect(details(400)).toEqual(['Within about 1.4 km of the pickup', 'Within about 1.4 km of the pickup']);
    expect(details()).toEqual([]); // an older server does not say how large its cells are
  });

  it('says "you" to whoever did it', () => {
    expect(read('en', 'driver')).toContain('You got the trip');
    const cancelled = [event(1, 'cancelled', { by: 'rider', reason: 'plans changed' })];
    expect(story(words.en, cancelled, 'rider')[0]).toMatchObject({ text: 'You cancelled', detail: 'plans changed' });
    expect(story(words.en, cancelled, 'driver')[0]?.text).toBe('The rider cancelled');
  });

  it('translates the system’s reasons, and no person’s', () => {
    const late = [event(1, 'cancelled', { by: 'system', reason: 'driver_no_show' })];
    expect(story(words.ko, late, 'rider')[0]?.detail).toBe('기사가 제시간에 도착하지 않았습니다.');
    expect(reasonText(words.en, 'rider', 'driver_no_show')).toBe('driver_no_show');
  });

  it('does not stumble over a kind of event that is newer than the app', () => {
    expect(story(words.en, [event(1, 'moved_house' as TripEvent['kind'])], 'rider')[0]?.text).toBe('Trip updated');
  });
});

describe('words', () => {
  it('name places and classes', () => {
    expect(placeText(words.en, { lat: 40.758, lng: -73.98551 })).toBe('Pin near 40.7580, -73.9855');
    expect(placeText(words.ko, { lat: 40.758, lng: -73.98551 })).toBe('40.7580, -73.9855 부근');
    expect(placeText(words.en, { lat: 1, lng: 2 }, 'Main Street')).toBe('Main Street');
  });
});

describe('the list of trips', () => {
  const done = (id: string, change: Partial<Trip> = {}): Trip => trip({ id, status: 'completed', ...change });

  it('counts a trip once, in its latest version, and leaves out the one that goes on', () => {
    const list = mergePages([
      [trip({ id: 'live', status: 'matched' }), done('a', { version: 5 }), done('b')],
      [done('b'), done('a', { version: 6, stars_by_rider: 4 }), done('c')],
    ]);
    expect(list.map((t) => t.id)).toEqual(['a', 'b', 'c']);
    expect(list[0]?.stars_by_rider).toBe(4);
  });

  it('is grouped by the days of this device', () => {
    const at = (iso: string) => new Date(iso).toISOString();
    const days = byDay([
      done('a', { requested_at: at('2026-11-22T23:59:00') }), done('b', { requested_at: at('2026-11-22T00:01:00') }),
      done('c', { requested_at: at('2026-11-21T23:59:00') }),
    ]);
    expect(days.map((d) => [d.day, d.trips.map((t) => t.id)])).toEqual([['2026-11-22', ['a', 'b']], ['2026-11-21', ['c']]]);
  });
});
