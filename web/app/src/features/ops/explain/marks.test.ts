import i18next from 'i18next';
import { beforeAll, describe, expect, it } from 'vitest';

import en from '../../../locales/en/ops.json';
import ko from '../../../locales/ko/ops.json';
import { isFar, markOfEvent, markText } from './marks';

beforeAll(() => i18next.init({ lng: 'en', resources: { en: { ops: en }, ko: { ops: ko } }, interpolation: { escapeValue: false } }));

const mark = (more = {}) => ({ located: true, distance_m: 790, accuracy_m: 10, age_s: 1, reason: '', ...more });

describe('where the driver was', () => {
  it('is always said, with what makes it doubtful and the reason', () => {
    expect(markText('arrival', mark(), i18next.getFixedT('en', 'ops') as never)).toBe('790 m from the pickup · ±10 m');
    expect(markText('completion', mark({ distance_m: 19_012, accuracy_m: 0, age_s: 40, reason: 'road_closed' }), i18next.getFixedT('en', 'ops') as never)).toBe('19 km from the drop-off · position 40 s old · road closed');
    expect(markText('arrival', mark({ distance_m: 20, reason: 'Gate is locked' }), i18next.getFixedT('en', 'ops') as never)).toBe('20 m from the pickup · ±10 m · Gate is locked');
    expect(markText('arrival', mark({ located: false, distance_m: 0 }), i18next.getFixedT('en', 'ops') as never)).toBe('Driver’s position unknown');
    expect(markText('completion', mark(), i18next.getFixedT('ko', 'ops') as never)).toContain('도착지에서');
  });

  it('stands out where it is elsewhere by more than the position may be off', () => {
    expect(isFar('arrival', mark())).toBe(true);
    expect(isFar('arrival', mark({ distance_m: 140 }))).toBe(false);
    expect(isFar('completion', mark({ distance_m: 700, accuracy_m: 450 }))).toBe(false);
    expect(isFar('completion', mark({ located: false, distance_m: 5000 }))).toBe(false);
  });

  it('is read from the log as the server keeps it', () => {
    expect(markOfEvent({ mark: { located: true, distance_m: 789.6, accuracy_m: 12.2, age_ns: 2_400_000_000, reason: 'other' } })).toEqual(mark({ accuracy_m: 12, age_s: 2, reason: 'other' }));
    expect(markOfEvent({ mark: { located: false, distance_m: 0 } })?.located).toBe(false);
    expect(markOfEvent({})).toBeNull();
    expect(markOfEvent(undefined)).toBeNull();
  });
});
