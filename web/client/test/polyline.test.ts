import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodePolyline, type Point } from '../src/index.js';

// The server's encoder is tested with the same lines.
const lines = JSON.parse(readFileSync(new URL('polylines.json', import.meta.url), 'utf8')) as {
  readonly polyline: string;
  readonly points: readonly Point[];
}[];

describe('a polyline', () => {
  test.each(lines)('$polyline reads as the server wrote it', ({ polyline, points }) => {
    expect(decodePolyline(polyline)).toEqual(points);
  });

  test.each(['_', '_p~iF', '_p~iF~ps|', 'ä~', '_p~iF ', '~~~~~~~~?'])('that is cut or foreign is refused: %s', (polyline) => {
    expect(() => decodePolyline(polyline)).toThrow(TypeError);
  });

  test('never reads as what is no number', () => {
    fc.assert(fc.property(fc.string(), (text) => {
      try {
        for (const { lat, lng } of decodePolyline(text)) expect(Number.isFinite(lat + lng)).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError);
      }
    }));
  });
});
