import i18next, { type TFunction } from 'i18next';
import { beforeAll, describe, expect, it } from 'vitest';

import type { Schemas } from '../../../api/http';
import en from '../../../locales/en/ops.json';
import ko from '../../../locales/ko/ops.json';
import { decisionOn, reasonText } from './decision';
import { eventDetail } from './EventLog';
import { planText } from './plan';
import { summaryOf, winnersFirst } from './summary';
import { barOf } from './Timeline';

type Explain = Schemas['ExplainView'];

let texts: Record<'en' | 'ko', TFunction<'ops'>>;

beforeAll(async () => {
  await i18next.init({ lng: 'en', resources: { en: { ops: en }, ko: { ops: ko } }, interpolation: { escapeValue: false }, contextSeparator: '~' });
  texts = { en: i18next.getFixedT('en', 'ops'), ko: i18next.getFixedT('ko', 'ops') };
});

const at = (s: number) => new Date(Date.UTC(2026, 10, 22, 12, 0, 0) + s * 1000).toISOString();

function offer(driver: string, wave: number, state: Schemas['OfferDetail']['state']): Schemas['OfferDetail'] {
  return { id: `t.${driver}${wave}`, driver_id: driver, driver_name: driver, wave, state, reason: '', distance_m: 100, eta_s: 10, made_at: at(wave), expires_at: at(wave + 20), ended_at: at(wave + 3) };
}

function explain(trip: Partial<Schemas['Trip']>, offers: Schemas['OfferDetail'][] = [], rings: number[] = [1, 2], released = 0): Explain {
  const event = (kind: Schemas['EventView']['kind'], version: number): Schemas['EventView'] => ({ kind, version, at: at(version) });
  return {
    trip: { requested_at: at(0), ...trip } as Schemas['Trip'],
    offers,
    waves: rings.map((ring, i) => ({ wave: i + 1, ring, at: at(i), cells: 7, offered: 4, more: 0, windows: 0, why: '', candidates: [] })),
    events: Array.from({ length: released }, (_, i) => event('released', i + 3)),
    policy: {} as Schemas['PolicyView'],
    estimate_by: 'streets',
  };
}

const eight = [
  ...['a', 'b', 'c', 'd'].map((d) => offer(d, 1, 'declined')), offer('e', 2, 'expired'), offer('f', 2, 'withdrawn'), offer('g', 2, 'withdrawn'), offer('x', 2, 'won'),
];
const driver = { id: 'x', first_name: 'Xenia' } as Schemas['DriverCard'];

describe('the sentence on top', () => {
  const cases: [string, Explain, string, string][] = [
    ['a match', explain({ status: 'completed', driver, matched_at: at(14) }, eight),
      'Matched with Xenia in wave 2 after 14 sec: 8 drivers were notified, 5 declined or let it expire.',
      '14초 만에 2차 요청에서 Xenia 기사에게 배차되었습니다. 기사 8명에게 요청했습니다. 그중 5명이 거절하거나 응답하지 않았습니다.'],
    ['a match of the only one asked', explain({ status: 'matched', driver, matched_at: at(0.05) }, [offer('x', 1, 'won')], [1]),
      'Matched with Xenia in wave 1 after 0.05 sec: 1 driver was notified, none declined.',
      '0.05초 만에 1차 요청에서 Xenia 기사에게 배차되었습니다. 기사 1명에게 요청했습니다. 거절한 기사는 없습니다.'],
    ['a search', explain({ status: 'requested' }, [offer('a', 1, 'declined'), offer('b', 2, 'open')]),
      'Searching for 30 sec: wave 2 has reached ring 2. 2 drivers were notified, 1 declined or let it expire.',
      '30초째 찾는 중입니다. 2차 요청이 링 2까지 넓어졌습니다. 기사 2명에게 요청했습니다. 그중 1명이 거절하거나 응답하지 않았습니다.'],
    ['a search that found nobody', explain({ status: 'expired', ended_at: at(120) }),
      'No driver was found in 2 min: no drivers were notified.', '2분 동안 기사를 찾지 못했습니다. 요청받은 기사는 없습니다.'],
    ['a cancelled search', explain({ status: 'cancelled', ended_at: at(20), cancellation: { by: 'operator', reason: 'flooded street' } }, [offer('a', 1, 'withdrawn')]),
      'Cancelled by an operator after 20 sec of searching: 1 driver was notified, none declined. Reason: flooded street.',
      '20초 동안 찾은 뒤 취소되었습니다(취소: 운영자). 기사 1명에게 요청했습니다. 거절한 기사는 없습니다. 사유: flooded street.'],
    ['no wave yet', explain({ status: 'requested' }, [], []), 'The search has just started.', '기사를 찾기 시작했습니다.'],
  ];
  it.each(cases)('tells of %s', (_, x, english, korean) => {
    void i18next.changeLanguage('en');
    expect(summaryOf(x, texts.en, new Date(at(30)))).toBe(english);
    void i18next.changeLanguage('ko');
    expect(summaryOf(x, texts.ko, new Date(at(30)))).toBe(korean);
    void i18next.changeLanguage('en');
  });

  it('tells that a trip was given back, and of a driver who was asked twice only once', () => {
    const x = explain({ status: 'in_progress', driver, matched_at: at(30) }, [offer('x', 1, 'expired'), offer('x', 2, 'won')], [1, 2], 2);
    expect(summaryOf(x, texts.en, new Date(at(40)))).toBe('Matched with Xenia in wave 2 after 30 sec: 1 driver was notified, none declined. Before that, drivers dropped or lost the trip 2 times.');
  });

  it('says the words of the server in plain language', () => {
    const x = explain({ status: 'cancelled', driver, matched_at: at(4), ended_at: at(60), cancellation: { by: 'system', reason: 'rider_no_show' } }, [offer('x', 1, 'won')], [1]);
    expect(summaryOf(x, texts.en, new Date(at(90)))).toMatch(/Later cancelled by the system\. Reason: the rider didn’t show up in time\.$/);
  });
});

describe('reasons', () => {
  const words = ['offered', 'wrong_class', 'excluded', 'asked_enough', 'offer_open', 'resting', 'no_way', 'beyond_eta', 'held', 'over_cap', 'too_far', 'busy', 'position_stale', 'offers_full'] as const;

  it.each(words)('%s has words of its own in both languages', (reason) => {
    const [english, korean] = [reasonText({ reason }, 'Comfort', texts.en), reasonText({ reason }, 'Comfort', texts.ko)];
    expect(english).not.toContain(reason);
    expect(korean).toMatch(/[가-힣]/);
    expect(korean).not.toContain('explain.');
  });

  it('name the class that was wanted', () => {
    expect(reasonText({ reason: 'wrong_class' }, 'Comfort', texts.en)).toBe('Wrong vehicle class (not Comfort)');
  });

  it('decide how a candidate is drawn', () => {
    const candidate = (c: Partial<Schemas['CandidateView']>) => decisionOn({ offered: false, outcome: '', reason: 'over_cap', ...c } as Schemas['CandidateView']);
    expect(candidate({ offered: true, outcome: 'won', reason: 'offered' })).toBe('won');
    expect(candidate({ offered: true, outcome: 'declined', reason: 'offered' })).toBe('asked');
    expect(candidate({})).toBe('passed');
    expect(candidate({ reason: 'busy' })).toBe('unavailable');
  });
});

describe('the bar of an offer', () => {
  it('runs from when it was made to when it ended', () => {
    expect(barOf(offer('a', 2, 'declined'), at(0), new Date(at(60)))).toEqual({ from: 2000, to: 5000 });
  });

  it('runs until now while it is open, and never beyond its life', () => {
    const open = { ...offer('a', 2, 'open'), ended_at: undefined };
    expect(barOf(open, at(0), new Date(at(10))).to).toBe(10_000);
    expect(barOf(open, at(0), new Date(at(600))).to).toBe(22_000);
  });
});

describe('the event log', () => {
  it('says what a wave did, and who ended what and why', () => {
    expect(eventDetail({ kind: 'wave_planned', version: 2, at: at(0), data: { wave: 1, ring: 2, offers: [{}, {}] } }, texts.en)).toBe('wave 1, ring 2 · 2 offers');
    expect(eventDetail({ kind: 'offers_ended', version: 3, at: at(0), data: { state: 'declined', offers: ['a'] } }, texts.en)).toBe('1 offer: Declined');
    expect(eventDetail({ kind: 'cancelled', version: 4, at: at(0), by: 'operator', reason: 'flood' }, texts.en)).toBe('an operator · flood');
  });
});

describe('the order of drivers', () => {
  it('has who got the trip first, who had it before next, and the rest as it was', () => {
    const rows = ['near', 'before', 'mid', 'winner', 'far'].map((driver_id) => ({ driver_id, won: driver_id === 'before' || driver_id === 'winner' }));
    const order = (driver?: string) => winnersFirst(rows, (r) => r.won, driver).map((r) => r.driver_id);
    expect(order('winner')).toEqual(['winner', 'before', 'near', 'mid', 'far']);
    expect(order('before')).toEqual(['before', 'winner', 'near', 'mid', 'far']);
    expect(winnersFirst(rows, () => false, undefined)).toEqual(rows);
  });
});

describe('the sentence on a plan', () => {
  const decision = (more: Partial<Schemas['DecisionView']> = {}): Schemas['DecisionView'] => ({
    policy: 'batch', window_ms: 5000, rows: 1, columns: 1, method: 'shortest_paths', price_s: 90, way_s: 90, worth_s: 0, age_s: 0, other_s: 0, scarcity_s: 0, next: [], ...more,
  });
  const next = (name: string, more_s: number, needed: boolean): Schemas['AlternativeView'] => ({
    driver_id: `id of ${name}`, driver_name: name, eta_s: 60, more_s, needed, reason: needed ? 'needed' : 'dearer',
  });
  const wave = (windows: number, offered: number, why: string, d?: Schemas['DecisionView']) => ({ windows, offered, why, ...(d && { decision: d }) });
  const cases: [string, Parameters<typeof planText>[0], string, string][] = [
    ['one trip', wave(1, 1, '', decision()), 'Planned for this trip alone, with 1 driver in reach.', '이 호출만 놓고 계획했습니다. 닿을 수 있는 기사는 1명입니다.'],
    ['a car that another needs', wave(3, 1, '', decision({ rows: 5, columns: 9, scarcity_s: 38, next: [next('Near', -30, true), next('Far', 12, false)] })),
      'Planned together with 4 other trips, with 9 drivers in reach. 2 earlier plans found no driver. Sending Near would have been 30 sec better for this trip, but another trip needs that driver more. Sending the next best, Far, would have been 12 sec worse. Without this driver, waits would grow by at least 38 sec in all.',
      '다른 호출 4건과 함께 계획했습니다. 닿을 수 있는 기사는 9명입니다. 앞선 계획 2번에서는 기사를 찾지 못했습니다. Near 기사를 보내면 이 호출에는 30초 더 유리하지만, 다른 호출에 더 필요합니다. 다음 후보인 Far 기사를 보내면 12초 더 불리합니다. 이 기사가 없으면 전체 대기 시간이 38초 이상 늘어납니다.'],
    ['nobody', wave(6, 0, 'no_driver'), '6 plans found no driver: no free driver nearby.', '계획 6번에서 기사를 찾지 못했습니다: 근처에 빈 차가 없음.'],
    ['nobody, for a reason of a newer server', wave(1, 0, 'eclipse'), '1 plan found no driver: no driver was left.', '계획 1번에서 기사를 찾지 못했습니다: 남은 기사가 없음.'],
    ['a wave of the trip itself', wave(0, 2, ''), '', ''],
  ];
  it.each(cases)('%s', (_, of, inEnglish, inKorean) => {
    void i18next.changeLanguage('en');
    expect(planText(of, texts.en)).toBe(inEnglish);
    void i18next.changeLanguage('ko');
    expect(planText(of, texts.ko)).toBe(inKorean);
    void i18next.changeLanguage('en');
  });
});
