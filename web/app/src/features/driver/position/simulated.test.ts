import { describe, expect, it } from 'vitest';

import { distanceBetween, offsetBy, type LatLng } from '../../../lib/map/geo';
import { measure, pointAt, type Way } from '../../../lib/map/way';
import { cruisingMps, SimulatedDrive } from './simulated';

function wayOf(points: readonly LatLng[]): Way {
  const way = measure(points);
  if (!way) throw new Error('no way');
  return way;
}

const here = { lat: 40.75, lng: -73.98 };

describe('a simulated drive', () => {
  it('takes the straight line to its target, as fast as its pace says, and stops there', () => {
    const target = offsetBy(here, 1000, 90);
    const drive = new SimulatedDrive(here);
    drive.target = target;
    const after = drive.advance(10, 3);
    expect(distanceBetween(here, after)).toBeCloseTo(10 * 3 * cruisingMps, 0);
    expect(after.headingDeg).toBeCloseTo(90, 1);
    expect(after.speedMps).toBeCloseTo(3 * cruisingMps, 1);
    const end = drive.advance(1000, 3);
    expect(distanceBetween(end, target)).toBeLessThan(1);
    expect(drive.advance(1, 3).speedMps).toBe(0);
  });

  it('drives along the way that is planned, as far as ever, and from its end to the target', () => {
    const corner = offsetBy(here, 200, 0);
    const way = wayOf([here, corner, offsetBy(corner, 200, 90)]);
    const target = offsetBy(pointAt(way, 400), 20, 90);
    const drive = new SimulatedDrive(offsetBy(here, 8, 270));
    drive.target = target;
    drive.way = way;
    const seconds = 250 / cruisingMps;
    expect(distanceBetween(drive.advance(seconds, 1), pointAt(way, 250))).toBeLessThan(1);
    expect(drive.position.headingDeg).toBeCloseTo(90, 0);
    expect(distanceBetween(drive.advance(seconds, 1), target)).toBeLessThan(1);
  });

  it('goes to a way that begins elsewhere, joins it in the middle, and changes to a new one', () => {
    const way = wayOf([here, offsetBy(here, 1000, 0)]);
    const drive = new SimulatedDrive(offsetBy(offsetBy(here, 300, 0), 100, 90));
    drive.target = offsetBy(here, 1000, 0);
    drive.way = way;
    expect(distanceBetween(drive.advance(150 / cruisingMps, 1), pointAt(way, 350))).toBeLessThan(1);
    drive.way = measure([pointAt(way, 340), offsetBy(pointAt(way, 340), 500, 90)]);
    const turned = drive.advance(100 / cruisingMps, 1);
    expect(turned.headingDeg).toBeCloseTo(90, 0);
    drive.way = null;
    expect(distanceBetween(drive.advance(1000, 1), offsetBy(here, 1000, 0))).toBeLessThan(1);
  });

  it('stands where a ride ended, and strolls around there, never far and never fast', () => {
    let seed = 0;
    const drive = new SimulatedDrive(here, () => (seed = (seed * 16807 + 7) % 2147483647) / 2147483647);
    const dropoff = offsetBy(here, 4000, 200);
    drive.target = dropoff;
    drive.advance(100_000, 60);
    drive.target = null;
    let moved = 0;
    for (let s = 0; s < 600; s++) {
      const p = drive.advance(1, 60);
      expect(p.speedMps).toBeLessThan(cruisingMps + 0.1);
      expect(distanceBetween(p, dropoff)).toBeLessThan(360);
      if (p.speedMps > 0) moved++;
    }
    expect(moved).toBeGreaterThan(20);
    expect(moved).toBeLessThan(580);
  });

  it('begins to stand where it is put', () => {
    const drive = new SimulatedDrive(here);
    const there = offsetBy(here, 20_000, 10);
    drive.placeAt(there);
    expect(drive.advance(3, 1)).toMatchObject({ ...there, speedMps: 0 });
  });

  it('crosses the antimeridian the short way', () => {
    const drive = new SimulatedDrive({ lat: -17, lng: 179.999 });
    drive.target = { lat: -17, lng: -179.999 };
    const p = drive.advance(1, 1);
    expect(p.headingDeg).toBeCloseTo(90, 0);
    expect(distanceBetween(drive.advance(60, 1), { lat: -17, lng: -179.999 })).toBeLessThan(1);
  });
});
