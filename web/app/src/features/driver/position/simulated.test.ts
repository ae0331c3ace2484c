import { describe, expect, it } from 'vitest';

import { distanceBetween, offsetBy } from '../../../lib/map/geo';
import { cruisingMps, SimulatedDrive } from './simulated';

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
