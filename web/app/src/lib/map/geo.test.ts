import { describe, expect, it } from 'vitest';

import { bearingBetween, between, circleRing, distanceBetween, offsetBy, readDegrees, readPair, wrapLng } from './geo';

describe('distances and directions', () => {
  it('fit the Earth', () => {
    // One degree of latitude, and Seoul to New York.
    expect(distanceBetween({ lat: 0, lng: 0 }, { lat: 1, lng: 0 })).toBeCloseTo(111_195, -1);
    expect(distanceBetween({ lat: 37.5665, lng: 126.978 }, { lat: 40.7128, lng: -74.006 }) / 1000).toBeCloseTo(11_060, -2);
    expect(bearingBetween({ lat: 0, lng: 0 }, { lat: 0, lng: -1 })).toBeCloseTo(270);
  });

  it('undo each other', () => {
    const p = { lat: 40.75, lng: -73.98 };
    const q = offsetBy(p, 1234, 77);
    expect(distanceBetween(p, q)).toBeCloseTo(1234, 3);
    expect(bearingBetween(p, q)).toBeCloseTo(77, 6);
  });

  it('go the short way over the antimeridian', () => {
    expect(between({ lat: 0, lng: 179 }, { lat: 0, lng: -179 }, 0.75).lng).toBeCloseTo(-179.5);
    expect(wrapLng(540)).toBe(-180);
    const ring = circleRing({ lat: 0, lng: 179.99 }, 5000);
    expect(Math.max(...ring.map(([x]) => x)) - Math.min(...ring.map(([x]) => x))).toBeLessThan(0.1);
    expect(ring[0]).toEqual(ring.at(-1));
  });
});

describe('typed coordinates', () => {
  it.each([['40.7527', 40.7527], [' -12 ', -12], ['37,5', 37.5], ['90', 90]])('takes %s', (text, want) => expect(readDegrees(text, 90)).toBe(want));
  it.each(['', 'north', '90.1', '1e1', '--3', '4 0', 'NaN', '0x10'])('refuses %j', (text) => expect(readDegrees(text, 90)).toBeNull());

  it('reads pairs as other maps give them', () => {
    expect(readPair('40.7527, -73.9772')).toEqual({ lat: 40.7527, lng: -73.9772 });
    expect(readPair('37.4979 127.0276')).toEqual({ lat: 37.4979, lng: 127.0276 });
    expect(readPair('127.0276, 37.4979')).toBeNull();
    expect(readPair('5th Avenue 1')).toBeNull();
  });
});
