import type { FareBreakdown, Mark, StreetCheckVerdict } from '@hexhail/client';
import i18next, { type TFunction } from 'i18next';
import { beforeAll, describe, expect, it } from 'vitest';

import en from '../../locales/en/trips.json';
import ko from '../../locales/ko/trips.json';
import { basisText, markTexts } from './measured';

let words: Record<'en' | 'ko', TFunction<'trips'>>;
beforeAll(async () => {
  await i18next.init({ lng: 'en', ns: ['trips'], defaultNS: 'trips', resources: { en: { trips: en }, ko: { trips: ko } }, interpolation: { escapeValue: false } });
  words = { en: i18next.getFixedT('en', 'trips'), ko: i18next.getFixedT('ko', 'trips') };
});

const fare = (change: Partial<FareBreakdown>): FareBreakdown => ({
  total: { minor: 900, currency: 'USD' }, base_minor: 900, distance_minor: 0, time_minor: 0, minimum_topup_minor: 0,
  distance_m: 3600, duration_s: 480, basis: 'measured', measured_m: 3600, estimated_m: 0, ...change,
});
const mark = (change: Partial<Mark>): Mark => ({ located: true, distance_m: 0, accuracy_m: 8, age_s: 1, reason: '', ...change });

describe('how a fare was measured', () => {
  it('is said where it is known', () => {
    expect(basisText(words.en, fare({}))).toBe('Distance measured by GPS.');
    expect(basisText(words.en, fare({ basis: 'partly_estimated', measured_m: 60, estimated_m: 3540 })))
      .toBe('60 m measured by GPS, 3.5 km estimated where there was no signal.');
    expect(basisText(words.en, fare({ basis: 'estimated', measured_m: 0, estimated_m: 3600 }))).toContain('estimated');
    expect(basisText(words.en, fare({ basis: 'basis_unspecified', measured_m: 0 }))).toBe('');
    expect(basisText(words.ko, fare({ basis: 'partly_estimated', measured_m: 60, estimated_m: 3540 }))).toContain('GPS 측정 60');
  });

  it('says whether the streets were followed, or why not', () => {
    const check = (verdict: StreetCheckVerdict) => ({ verdict, length_m: 4700, positions_m: 3600, share_percent: 80 });
    expect(basisText(words.en, fare({ basis: 'streets', street_check: check('counts') }))).toBe('Distance measured by GPS along the streets.');
    expect(basisText(words.en, fare({ street_check: check('off_streets') })))
      .toBe('Distance measured by GPS. Not matched to streets: too much of the trip lies off them.');
    for (const verdict of ['shorter', 'longer'] as const) {
      expect(basisText(words.en, fare({ street_check: check(verdict) }))).toContain('Not matched to streets: along them it would be 4.7 km');
    }
    expect(basisText(words.ko, fare({ street_check: check('late') }))).toContain('도로');
    expect(basisText(words.en, fare({ basis: 'partly_estimated', street_check: check('gaps') }))).not.toContain('streets');
  });
});

describe('a step that was taken far from its place', () => {
  it('is shown with its distance and its reason', () => {
    expect(markTexts(words.en, { arrival: mark({ distance_m: 790, reason: 'road_closed' }), completion: mark({ distance_m: 19_012 }) })).toEqual([
      'The driver reported arrival 790 m from the pickup. Reason: road closed', 'The trip ended 19 km from the drop-off.',
    ]);
    expect(markTexts(words.en, { completion: mark({ distance_m: 900, reason: 'The bridge is up' }) })[0]).toContain('Reason: The bridge is up');
  });

  it('is no matter where the position explains it, or none is known', () => {
    expect(markTexts(words.en, { arrival: mark({ distance_m: 140 }), completion: mark({ distance_m: 700, accuracy_m: 450 }) })).toEqual([]);
    expect(markTexts(words.en, { arrival: mark({ located: false }) })).toEqual([]);
    expect(markTexts(words.en, {})).toEqual([]);
  });
});
