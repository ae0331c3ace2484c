import { beforeEach, describe, expect, it } from 'vitest';

import { regionOf } from './home';
import { forgetLastPlace, keepLastPlace, readLastPlace } from './lastPlace';

beforeEach(() => localStorage.clear());

describe('the part of the world that a time zone names', () => {
  it.each([
    ['Asia/Seoul', -540, 30, 135], ['America/New_York', 300, 30, -75], ['Europe/Budapest', -60, 50, 15],
    ['Australia/Sydney', -600, -28, 150], ['Pacific/Kiritimati', -840, -15, 170], ['UTC', -60, 25, 15],
  ])('%s', (zone, offset, lat, lng) => {
    expect(regionOf(zone, offset).center).toEqual({ lat, lng });
  });
});

describe('the last place', () => {
  it('is kept coarsely, and not closer than a street', () => {
    keepLastPlace({ center: { lat: 37.123456, lng: 127.98765 }, zoom: 17.3 });
    expect(readLastPlace()).toEqual({ center: { lat: 37.123, lng: 127.988 }, zoom: 14 });
    forgetLastPlace();
    expect(readLastPlace()).toBeNull();
  });

  it('is no continent, and nothing that cannot be a place', () => {
    keepLastPlace({ center: { lat: 30, lng: 0 }, zoom: 3 });
    expect(readLastPlace()).toBeNull();
    for (const text of ['', 'null', '{}', '{"center":{"lat":91,"lng":0},"zoom":12}', '{"center":{"lat":"1","lng":0},"zoom":12}', '{']) {
      localStorage.setItem('hexhail.map', text);
      expect(readLastPlace()).toBeNull();
    }
  });
});
