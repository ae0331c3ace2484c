import { describe, expect, it } from 'vitest';

import { auditSearch, boundsOf, peopleSearch, statusesOf, statusText, tripsSearch } from './search';

describe('filters in the URL', () => {
  it('come back as they went in', () => {
    const filters = { status: 'matched,cancelled', from: '2026-11-22T10:00:00.000Z', to: '2026-11-22T11:00:00.000Z', q: 'HX 12', account: '01a2' };
    expect(tripsSearch({ ...filters })).toEqual(filters);
    expect(tripsSearch({ status: 'live', period: '15m' })).toEqual({ status: 'live', period: '15m' });
    expect(peopleSearch({ role: 'driver', status: 'suspended', q: 'bo' })).toEqual({ role: 'driver', status: 'suspended', q: 'bo' });
    expect(auditSearch({ actor: 'a', action: 'trip.cancel.failed', subject: 's', period: 'today' })).toEqual({ actor: 'a', action: 'trip.cancel.failed', subject: 's', period: 'today' });
  });

  it('ignore what is none', () => {
    expect(tripsSearch({ status: 'flying', period: 'ever', from: 'yesterday', q: '   ', account: {} })).toEqual({});
    expect(peopleSearch({ role: 'king', status: 7, other: 'x' })).toEqual({});
  });

  it('take numbers, which the router makes of digits, and cut what is too long for the API', () => {
    expect(tripsSearch({ q: 633 })).toEqual({ q: '633' });
    expect(tripsSearch({ q: 'x'.repeat(80) }).q).toHaveLength(64);
  });

  it('let a ready-made span win over one of its own', () => {
    expect(tripsSearch({ period: '1h', from: '2026-11-22T10:00:00Z' })).toEqual({ period: '1h' });
  });
});

describe('statuses', () => {
  it('are ordered, and "live" stands for all that live', () => {
    expect(statusText(['cancelled', 'requested'])).toBe('requested,cancelled');
    expect(statusText(['in_progress', 'arrived', 'matched', 'requested'])).toBe('live');
    expect(statusesOf('live')).toEqual(['requested', 'matched', 'arrived', 'in_progress']);
  });

  it('are no filter when there are none, or all', () => {
    expect(statusText([])).toBeUndefined();
    expect(statusText(statusesOf('requested,matched,arrived,in_progress,completed,cancelled,expired'))).toBeUndefined();
  });
});

describe('spans', () => {
  const now = new Date('2026-11-22T12:00:00Z');
  it('begin so long ago', () => {
    expect(boundsOf({ period: '15m' }, now)).toEqual({ from: '2026-11-22T11:45:00.000Z' });
    expect(boundsOf({ period: '7d' }, now)).toEqual({ from: '2026-11-15T12:00:00.000Z' });
    expect(new Date(boundsOf({ period: 'today' }, now).from ?? '').getHours()).toBe(0);
  });

  it('may be open at an end', () => {
    expect(boundsOf({ to: '2026-11-22T11:00:00.000Z' }, now)).toEqual({ to: '2026-11-22T11:00:00.000Z' });
    expect(boundsOf({}, now)).toEqual({});
  });
});
