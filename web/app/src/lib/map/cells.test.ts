import { describe, expect, it } from 'vitest';

import { gridOf, gridResolution, ringsOf } from './cells';

const xs = (f: { geometry: { coordinates: number[][][] } }) => f.geometry.coordinates.flat().map((p) => p[0] ?? 0);

describe('the grid of cells', () => {
  it('is there at the zooms of a city, and bounded', () => {
    expect(gridResolution(5)).toBeNull();
    const manhattan = { west: -74.02, south: 40.7, east: -73.95, north: 40.8 };
    expect(gridOf(manhattan, 12.5).features.length).toBeGreaterThan(50);
    expect(gridOf({ west: -80, south: 35, east: -70, north: 45 }, 12.5).features).toEqual([]);
    expect(gridOf(manhattan, 4).features).toEqual([]);
  });

  it('is whole over the antimeridian', () => {
    const { features } = gridOf({ west: 179.95, south: -17.05, east: 180.05, north: -16.95 }, 12.5);
    expect(features.length).toBeGreaterThan(50);
    for (const f of features) expect(Math.max(...xs(f)) - Math.min(...xs(f))).toBeLessThan(1);
  });
});

describe('the rings of a search', () => {
  it('are as many cells as rings of a honeycomb have', () => {
    const { features } = ringsOf({ lat: 40.75, lng: -73.98 }, 3, 8);
    expect(features).toHaveLength(37);
    expect(features.filter((f) => f.properties?.k === 3)).toHaveLength(18);
    expect(ringsOf({ lat: 40.75, lng: -73.98 }, 0, 8).features).toHaveLength(1);
  });

  it('are bounded, and drawn around a pentagon, too', () => {
    expect(ringsOf({ lat: 40.75, lng: -73.98 }, 1000, 8).features).toHaveLength(1 + 3 * 16 * 17);
    expect(ringsOf({ lat: 64.7, lng: 10.53 }, 2, 4).features.length).toBeGreaterThan(10);
  });
});
