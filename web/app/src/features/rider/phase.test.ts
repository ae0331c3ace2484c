import { describe, expect, it } from 'vitest';

import { connected, nothing, now, trip } from '../../test/fixtures';
import { choosePhase, sheetKey, type Known } from './phase';

const choose = (change: Partial<Known> = {}) =>
  choosePhase({ view: nothing, connection: connected, pending: [], latest: null, remembered: {}, now, ...change });
const live = (status: ReturnType<typeof trip>['status']) => ({ ...nothing, activeTrip: trip({ status }) });
const waiting = { status: 'waiting', attempt: 1, retryAt: 0, cause: { reason: 'lost' } } as const;

describe('the phase', () => {
  it.each([
    ['requested', 'searching'], ['matched', 'coming'], ['arrived', 'arrived'], ['in_progress', 'riding'],
  ] as const)('of a trip that is %s is %s', (status, name) => {
    expect(choose({ view: live(status) }).name).toBe(name);
  });

  it('is another search when the trip had a driver, also after a reload', () => {
    expect(choose({ view: live('requested') })).toMatchObject({ again: false });
    expect(choose({ view: live('requested'), remembered: { driverOf: 't1' } })).toMatchObject({ name: 'searching', again: true });
    expect(choose({ view: live('requested'), remembered: { driverOf: 't0' } })).toMatchObject({ again: false });
  });

  it('gives the sheet another key at each step of a ride, and the same while nothing changes', () => {
    const phases = (['requested', 'matched', 'arrived', 'in_progress'] as const).map((status) => choose({ view: live(status) }));
    const keys = [choose(), ...phases, choose({ view: { ...nothing, lastEnded: trip({ status: 'completed' }) } })].map((p) => sheetKey(p, false));
    expect(new Set(keys).size).toBe(6);
    expect(sheetKey(choose(), true)).not.toBe(sheetKey(choose(), false));
    expect(sheetKey(choose({ view: live('requested') }), false)).toBe(keys[1]);
  });

  it('keeps the trip while there is no connection', () => {
    expect(choose({ view: live('matched'), connection: waiting }).name).toBe('coming');
  });

  it('waits for the first answer, and for no later one', () => {
    expect(choose({ connection: { status: 'connecting', attempt: 0 } }).name).toBe('loading');
    expect(choose({ latest: undefined }).name).toBe('loading');
    expect(choose({ connection: waiting, latest: undefined }).name).toBe('planning');
    expect(choose().name).toBe('planning');
  });

  it('shows a request that has no answer, also one of before a reload', () => {
    const pending = [{ id: '1', kind: 'request_trip', since: now }] as const;
    expect(choose({ pending }).name).toBe('asking');
    expect(choose({ pending, connection: { status: 'connecting', attempt: 0 } }).name).toBe('asking');
    expect(choose({ pending, view: live('requested') }).name).toBe('searching');
  });

  it('shows an end until it is put away', () => {
    const ended = trip({ status: 'expired', ended_at: '2026-11-22T15:29:59Z' });
    expect(choose({ view: { ...nothing, lastEnded: ended } })).toEqual({ name: 'ended', trip: ended });
    expect(choose({ latest: ended })).toEqual({ name: 'ended', trip: ended });
    expect(choose({ view: { ...nothing, lastEnded: ended }, latest: ended, remembered: { dismissed: 't1' } }).name).toBe('planning');
  });

  it('does not show the end of a trip of hours ago after a reload', () => {
    expect(choose({ latest: trip({ status: 'completed', ended_at: '2026-11-22T13:00:00Z' }) }).name).toBe('planning');
  });

  it('shows the newest end of two, and does not return to the one before', () => {
    const first = trip({ id: 't1', status: 'expired', ended_at: '2026-11-22T15:20:00Z' });
    const second = trip({ id: 't2', status: 'completed', ended_at: '2026-11-22T15:29:00Z' });
    expect(choose({ view: { ...nothing, lastEnded: first }, latest: second })).toMatchObject({ trip: { id: 't2' } });
    expect(choose({ view: { ...nothing, lastEnded: second }, latest: first, remembered: { dismissed: 't2' } }).name).toBe('planning');
  });

  it('does not take the newest trip of the list for an end while it goes on', () => {
    expect(choose({ latest: trip({ status: 'matched' }) }).name).toBe('planning');
  });
});
