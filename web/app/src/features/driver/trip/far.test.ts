import { describe, expect, it } from 'vitest';

import { farFrom } from './far';

describe('a step far from its place', () => {
  it.each([
    ['pickup', 20, 5, false], ['pickup', 150, null, false], ['pickup', 151, null, true], ['pickup', 790, 8, true],
    ['pickup', 300, 200, false], // the position is vague by as much
    ['pickup', 2000, 5000, true], // but not by as much as one likes
    ['dropoff', 300, 0, false], ['dropoff', 19_000, 5, true],
  ] as const)('to the %s, %d m away, ± %s m: asks why: %s', (end, awayM, accuracyM, asks) => {
    expect(farFrom(end, { awayM, accuracyM })).toEqual(asks ? { end, awayM } : null);
  });

  it('is one, too, when nobody knows where the car is', () => {
    expect(farFrom('pickup', null)).toEqual({ end: 'pickup', awayM: null });
  });
});
