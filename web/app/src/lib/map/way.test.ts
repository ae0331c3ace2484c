import { describe, expect, it } from 'vitest';

import { distanceBetween, offsetBy, type LatLng } from './geo';
import { bearingAt, cornersOf, measure, placeOn, pointAt, type Way } from './way';

function wayOf(points: readonly LatLng[]): Way {
  const way = measure(points);
  if (!way) throw new Error('no way');
  return way;
}

const start = { lat: 40.75, lng: -73.98 };
const corner = offsetBy(start, 300, 0);
const end = offsetBy(corner, 200, 90);
/** 300 m north, then 200 m east. */
const bend = wayOf([start, corner, end]);

describe('a way', () => {
  it('is as long as its stretches, and no line has no way', () => {
    expect(bend.lengthM).toBeCloseTo(500, 1);
    expect(bend.alongM.map(Math.round)).toEqual([0, 300, 500]);
    expect(measure([start])).toBeNull();
    expect(measure([])).toBeNull();
  });

  it('finds a car beside it', () => {
    const car = offsetBy(offsetBy(start, 120, 0), 8, 270);
    expect(placeOn(bend, car).alongM).toBeCloseTo(120, 0);
    expect(placeOn(bend, car).awayM).toBeCloseTo(8, 0);
    const behind = placeOn(bend, offsetBy(start, 50, 180));
    expect([behind.alongM, Math.round(behind.awayM)]).toEqual([0, 50]);
    expect(placeOn(bend, offsetBy(end, 40, 90)).alongM).toBeCloseTo(500, 1);
  });

  it('says the place nearest to a corner once, on either side', () => {
    expect(placeOn(bend, offsetBy(corner, 5, 180), 500).alongM).toBeCloseTo(295, 0);
    expect(placeOn(bend, offsetBy(corner, 5, 90), 0).alongM).toBeCloseTo(305, 0);
  });

  it('around a block counts the part that is expected, however much nearer noise puts the other', () => {
    const block = wayOf([0, 90, 180, 270].reduce((line, bearing) => [...line, offsetBy(line.at(-1) ?? start, 200, bearing)], [start])
      .concat(offsetBy(start, 200, 0)));
    const car = offsetBy(start, 100, 0);
    expect(placeOn(block, car, 80).alongM).toBeCloseTo(100, 0);
    expect(placeOn(block, car, 880).alongM).toBeCloseTo(900, 0);
  });

  it('agrees with a plain search over many points', () => {
    let seed = 7;
    const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
    const line = [start];
    for (let i = 0; i < 30; i++) line.push(offsetBy(line.at(-1) ?? start, 30 + 100 * random(), 140 * random()));
    const way = wayOf(line);
    for (let i = 0; i < 200; i++) {
      const car = offsetBy(pointAt(way, way.lengthM * random()), 25 * random(), 360 * random());
      let least = Infinity;
      for (let m = 0; m <= way.lengthM; m += 0.5) least = Math.min(least, distanceBetween(car, pointAt(way, m)));
      const { alongM, awayM } = placeOn(way, car, way.lengthM * random());
      expect(distanceBetween(car, pointAt(way, alongM))).toBeCloseTo(awayM, 1);
      expect(awayM).toBeGreaterThan(least - 0.5);
      expect(awayM).toBeLessThan(least + 15);
    }
  });

  it('knows its points and its direction, which turns through a corner', () => {
    expect(pointAt(bend, -10)).toEqual(start);
    expect(pointAt(bend, 900)).toEqual(end);
    expect(distanceBetween(pointAt(bend, 300), corner)).toBeLessThan(0.1);
    expect(bearingAt(bend, 0)).toBeCloseTo(0, 0);
    expect(bearingAt(bend, 300)).toBeCloseTo(45, 0);
    expect(bearingAt(bend, 500)).toBeCloseTo(90, 0);
  });

  it('bears points that are the same', () => {
    const twice = wayOf([start, start, corner, corner]);
    expect(placeOn(twice, corner).alongM).toBeCloseTo(300, 0);
    expect(distanceBetween(pointAt(twice, 150), offsetBy(start, 150, 0))).toBeLessThan(0.1);
    expect(pointAt(twice, 0)).toEqual(start);
  });

  it('has a box around it, over the antimeridian as well', () => {
    const over = wayOf([{ lat: -17, lng: 179.9 }, { lat: -16, lng: -179.9 }]);
    expect(cornersOf(over).map((p) => [p.lat, Math.round(p.lng * 10) / 10])).toEqual([[-17, 179.9], [-16, -179.9]]);
  });
});
