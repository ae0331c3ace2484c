import { expect, it } from 'vitest';

import land from './land.json';

type Position = readonly [number, number];
const rings = land.features.flatMap(({ geometry }) => (geometry.type === 'MultiPolygon' ? (geometry.coordinates as unknown as Position[][][]).flat() : []));

it('has no outline that jumps across the map, which would be drawn as a band around the world', () => {
  expect(rings.length).toBeGreaterThan(100);
  const jumps = rings.flatMap((ring) => ring.slice(1).map((to, i) => [ring[i] ?? to, to] as const))
    .filter(([from, to]) => Math.abs(from[0] - to[0]) > 60)
    // The edge of the map itself, below Antarctica, is no coast.
    .filter(([from, to]) => Math.abs(from[1]) < 90 || from[1] !== to[1]);
  expect(jumps).toEqual([]);
  for (const [lng, lat] of rings.flat()) expect(Math.abs(lng) <= 180 && Math.abs(lat) <= 90).toBe(true);
});
