import type { FeatureCollection } from 'geojson';
import type { ExpressionSpecification, StyleSpecification } from 'maplibre-gl';

import land from './data/land.json';

export type Scheme = 'light' | 'dark';

/** The colours of what the map itself draws. CSS variables do not reach into WebGL. */
export const colors = {
  light: {
    water: '#cfe3e8', land: '#f5f3ee', coast: '#a9c4c9', border: '#d9d4c8', name: '#7d8a86', halo: '#f5f3ee',
    grid: '#0d7f79', places: '#0a6e69', route: '#0d7f79', routeCase: '#ffffff', next: '#66737a', area: '#0d7f79', self: '#2563eb',
  },
  dark: {
    water: '#0b2a33', land: '#10181b', coast: '#1f4651', border: '#26343a', name: '#7f9096', halo: '#10181b',
    grid: '#43c4bb', places: '#6bd2cb', route: '#43c4bb', routeCase: '#0c1214', next: '#8f9b9e', area: '#43c4bb', self: '#7aa7ff',
  },
} as const satisfies Record<Scheme, Record<string, string>>;

/** The colours of a planned way: what is left of it, and what is driven. */
export const wayColors = {
  light: { left: '#0b7a74', leftCase: '#ffffff', driven: 'rgba(13,127,121,0.3)', drivenCase: 'rgba(255,255,255,0.55)' },
  dark: { left: '#3fd0c5', leftCase: '#06211f', driven: 'rgba(67,196,187,0.28)', drivenCase: 'rgba(6,33,31,0.5)' },
} as const satisfies Record<Scheme, Record<string, string>>;

/** How many pixels wide a river is whose width is given in metres, at New York's latitude; on both sides a bit more. */
function riverWidth(more: number): ExpressionSpecification {
  const pixels = (zoom: number): ExpressionSpecification => ['+', ['*', ['get', 'width'], 2 ** zoom / 59_340], 2 * more];
  return ['interpolate', ['exponential', 2], ['zoom'], 7, pixels(7), 18, pixels(18)];
}

/**
 * A map without a network: water, the outline of the land, and around New York the counties with their names. Cells
 * and the city's places come on top as layers of their own.
 */
export function plainStyle(scheme: Scheme): StyleSpecification {
  const c = colors[scheme];
  return {
    version: 8,
    sources: { land: { type: 'geojson', data: land as FeatureCollection } },
    layers: [
      { id: 'water', type: 'background', paint: { 'background-color': c.water } },
      { id: 'land', type: 'fill', source: 'land', filter: ['==', ['get', 'kind'], 'land'], paint: { 'fill-color': c.land } },
      {
        // The outlines are coarse: the closer one looks, the softer the coast.
        id: 'coast', type: 'line', source: 'land', filter: ['==', ['get', 'kind'], 'land'],
        layout: { 'line-join': 'round' },
        paint: {
          'line-color': c.coast,
          'line-width': ['interpolate', ['exponential', 1.6], ['zoom'], 4, 0.6, 11, 1.5, 16, 14],
          'line-blur': ['interpolate', ['exponential', 1.6], ['zoom'], 9, 0, 16, 12],
        },
      },
      {
        id: 'rivers-coast', type: 'line', source: 'land', filter: ['==', ['get', 'kind'], 'river'], minzoom: 7,
        layout: { 'line-join': 'round' }, paint: { 'line-color': c.coast, 'line-width': riverWidth(1.5) },
      },
      {
        id: 'rivers', type: 'line', source: 'land', filter: ['==', ['get', 'kind'], 'river'], minzoom: 7,
        layout: { 'line-cap': 'round', 'line-join': 'round' }, paint: { 'line-color': c.water, 'line-width': riverWidth(0) },
      },
      {
        id: 'borders', type: 'line', source: 'land', filter: ['==', ['get', 'kind'], 'border'], minzoom: 7,
        paint: { 'line-color': c.border, 'line-width': 1, 'line-dasharray': [4, 3] },
      },
      {
        id: 'names', type: 'symbol', source: 'land', minzoom: 8, maxzoom: 14,
        filter: ['==', ['get', 'kind'], 'name'],
        layout: {
          'text-field': ['get', 'name'], 'text-font': ['sans-serif'], 'text-letter-spacing': 0.08,
          'text-size': ['interpolate', ['linear'], ['zoom'], 8, 10, 12, 14],
          'symbol-sort-key': ['case', ['get', 'city'], 0, 1],
        },
        paint: { 'text-color': c.name, 'text-halo-color': c.halo, 'text-halo-width': 1.2 },
      },
    ],
  };
}
