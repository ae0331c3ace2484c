import type { StyleSpecification } from 'maplibre-gl';
import { describe, expect, it } from 'vitest';

import { overPlain } from './streetsStyle';

const style: StyleSpecification = {
  version: 8,
  sources: { streets: { type: 'vector', tiles: ['http://inside:8080/v1/tiles/{z}/{x}/{y}.mvt?v=1'], attribution: 'credit' } },
  metadata: { 'hexhail:bounds': [1, 2, 3, 4] },
  layers: [
    { id: 'ground', type: 'background', paint: { 'background-color': '#00f' } },
    { id: 'water', type: 'fill', source: 'streets', 'source-layer': 'water' },
    { id: 'minor', type: 'line', source: 'streets', 'source-layer': 'roads' },
    { id: 'minor-names', type: 'symbol', source: 'streets', 'source-layer': 'roads' },
  ],
};

describe('the style of the streets', () => {
  const made = overPlain(style, 'light', 'https://rides.example');
  const ids = made.layers.map((layer) => layer.id);

  it('lies on the plain map, which its box covers', () => {
    expect(made.layers[0]).toMatchObject({ type: 'background' });
    expect(made.layers.filter((layer) => layer.type === 'background')).toHaveLength(1);
    expect(made.layers.find((layer) => layer.id === 'ground')).toMatchObject({ type: 'fill', paint: { 'fill-color': '#00f' } });
    expect(ids.indexOf('plain-land')).toBeLessThan(ids.indexOf('ground'));
    expect(ids.indexOf('ground')).toBeLessThan(ids.indexOf('minor'));
    expect(ids.indexOf('minor')).toBeLessThan(ids.indexOf('one-way'));
    expect(ids.indexOf('one-way')).toBeLessThan(ids.indexOf('minor-names'));
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(made.layers.flatMap((layer) => ('source' in layer ? [layer.source] : [])))).toEqual(new Set(Object.keys(made.sources)));
  });

  it('takes tiles from where the page is from, and leaves the credit to the page', () => {
    expect(made.sources.streets).toEqual({ type: 'vector', tiles: ['https://rides.example/v1/tiles/{z}/{x}/{y}.mvt?v=1'] });
  });

  it('covers nothing where the style says nothing of its box', () => {
    expect(overPlain({ ...style, metadata: {} }, 'dark', '').layers.map((layer) => layer.id)).not.toContain('ground');
  });

  it('is refused without tiles', () => {
    expect(() => overPlain({ ...style, sources: {} }, 'light', '')).toThrow('no tiles');
  });
});
