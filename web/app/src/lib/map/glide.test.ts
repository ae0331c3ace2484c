import { describe, expect, it } from 'vitest';

import { distanceBetween, offsetBy } from './geo';
import { Glide } from './glide';
import { measure } from './way';

const a = { lat: 40.75, lng: -73.98 };
const b = offsetBy(a, 100, 90);

describe('a gliding marker', () => {
  it('stands where it is first seen, then takes as long for a stretch as it took to hear of it', () => {
    const glide = new Glide();
    expect(glide.at(0)).toBeNull();
    glide.push(a, 1000);
    expect(glide.at(1000)?.point).toEqual(a);
    glide.push(b, 2000);
    expect(glide.at(2000)?.point.lng).toBeCloseTo(a.lng, 9);
    expect(glide.at(2500)?.point.lng).toBeCloseTo((a.lng + b.lng) / 2, 9);
    expect(glide.done(2999)).toBe(false);
    expect(glide.at(3000)?.point.lng).toBeCloseTo(b.lng, 9);
    expect(glide.done(3000)).toBe(true);
  });

  it('goes on from where it is drawn when positions come early', () => {
    const glide = new Glide();
    glide.push(a, 0);
    glide.push(b, 1000);
    const drawn = glide.at(1500);
    glide.push(offsetBy(b, 100, 0), 1500);
    expect(glide.at(1500)?.point).toEqual(drawn?.point);
  });

  it('turns the shorter way, and keeps its heading while it stands', () => {
    const glide = new Glide();
    glide.push({ ...a, headingDeg: 350 }, 0);
    glide.push({ ...b, headingDeg: 20 }, 1000);
    const heading = glide.at(1200)?.headingDeg ?? 0;
    expect(heading > 350 || heading < 20).toBe(true);
    glide.push(b, 2000);
    expect(glide.at(3000)?.headingDeg).toBeCloseTo(20);
  });

  it('finds its heading in its movement where nobody tells', () => {
    const glide = new Glide();
    glide.push(a, 0);
    glide.push(b, 1000);
    expect(glide.at(2000)?.headingDeg).toBeCloseTo(90, 0);
  });

  it('does not drive where it was carried, nor where movement is not wanted', () => {
    const far = offsetBy(a, 8000, 90);
    const glide = new Glide();
    glide.push(a, 0);
    glide.push(far, 1000);
    expect(glide.at(1000)?.point).toEqual(far);
    const still = new Glide();
    still.push(a, 0, true);
    still.push(b, 1000, true);
    expect(still.at(1000)?.point).toEqual(b);
  });

  it('goes around the corners of its way, and is drawn on it', () => {
    const corner = offsetBy(a, 200, 0);
    const end = offsetBy(corner, 200, 90);
    const glide = new Glide();
    glide.push(offsetBy(a, 6, 90), 0);
    glide.take(measure([a, corner, end]), 10);
    glide.push(offsetBy(end, 9, 0), 1010);
    const halfway = glide.at(1515);
    expect(distanceBetween(halfway?.point ?? a, corner)).toBeLessThan(3);
    expect(halfway?.alongM).toBeCloseTo(200, -1);
    expect(glide.at(1200)?.headingDeg).toBeCloseTo(0, 0);
    expect(glide.at(5000)).toMatchObject({ alongM: expect.closeTo(400, 0) as number });
    glide.push(offsetBy(end, 80, 0), 6000);
    expect(glide.at(20_000)?.alongM).toBeNull(); // it has left the way
    glide.take(null, 20_000);
    expect(glide.at(20_000)?.point.lat).toBeCloseTo(offsetBy(end, 80, 0).lat, 6);
  });

  it('does not jump when it is given another way', () => {
    const glide = new Glide();
    glide.push(a, 0);
    glide.push(b, 1000);
    const before = glide.at(1400)?.point ?? b;
    glide.take(measure([a, b, offsetBy(b, 100, 0)]), 1400);
    expect(distanceBetween(before, glide.at(1400)?.point ?? a)).toBeLessThan(0.5);
    expect(glide.at(9000)?.alongM).toBeCloseTo(100, 0);
  });
});
