import type { LayerSpecification, StyleSpecification } from 'maplibre-gl';

import { streetsFor } from './ahead';
import { plainStyle, type Scheme } from './plainStyle';

/** The pictures that OneWayArrows draws are called so, and then a colour. */
export const arrowImage = 'one-way:';

/** Fetches the style of the server's own streets, and lays it over the plain map. */
export async function loadStreets(scheme: Scheme, signal: AbortSignal): Promise<StyleSpecification> {
  return overPlain(await streetsFor(scheme, signal), scheme, window.location.origin);
}

/**
 * The streets on the plain map, which goes on where the city ends. Within the city's box the plain map is covered: its coast is
 * coarse. What the style has for a background is what lies there where the map says nothing: water if it knows the shore, else land.
 */
export function overPlain(style: StyleSpecification, scheme: Scheme, origin: string): StyleSpecification {
  const plain = plainStyle(scheme);
  plain.layers = plain.layers.map((layer) => ({ ...layer, id: `plain-${layer.id}` })); // both have a layer of water
  const under = plain.layers.filter((layer) => layer.type !== 'symbol');
  const names = plain.layers.filter((layer) => layer.type === 'symbol').map((layer) => ({ ...layer, maxzoom: 12.5 }));
  const lines = style.layers.filter((layer) => layer.type !== 'symbol' && layer.type !== 'background');
  const texts = style.layers.filter((layer) => layer.type === 'symbol');
  return {
    ...style,
    sources: { ...plain.sources, ...groundOf(style), streets: localised(style, origin) },
    layers: [...under, ...coverOf(style), ...lines, arrows(scheme), ...texts, ...names],
  };
}

function groundOf(style: StyleSpecification): StyleSpecification['sources'] {
  const bounds = (style.metadata as { 'hexhail:bounds'?: [number, number, number, number] } | undefined)?.['hexhail:bounds'];
  if (!bounds) return {};
  const [west, south, east, north] = bounds;
  const ring = [[west, south], [east, south], [east, north], [west, north], [west, south]];
  return { ground: { type: 'geojson', data: { type: 'Feature', properties: {}, geometry: { type: 'Polygon', coordinates: [ring] } } } };
}

function coverOf(style: StyleSpecification): LayerSpecification[] {
  const background = style.layers.find((layer) => layer.type === 'background');
  const color = background?.paint?.['background-color'];
  if (!color || !('ground' in groundOf(style))) return [];
  return [{ id: 'ground', type: 'fill', source: 'ground', paint: { 'fill-color': color } }];
}

/** The source with the addresses by which this page reaches the server, whatever the server thinks; its credit is shown by RideMap. */
function localised(style: StyleSpecification, origin: string): StyleSpecification['sources'][string] {
  const source = style.sources.streets;
  if (source?.type !== 'vector' || !source.tiles) throw new Error('the streets\' style has no tiles');
  const own = { ...source, tiles: source.tiles.map((url) => origin + url.slice(Math.max(0, url.indexOf('/v1/tiles/')))) };
  delete own.attribution;
  return own;
}

function arrows(scheme: Scheme): LayerSpecification {
  return {
    id: 'one-way', type: 'symbol', source: 'streets', 'source-layer': 'roads', minzoom: 15.5,
    filter: ['all', ['==', ['get', 'oneway'], 'yes'], ['!', ['has', 'is_link']], ['!=', ['get', 'kind_detail'], 'service']],
    layout: {
      'symbol-placement': 'line', 'symbol-spacing': 140, 'icon-image': arrowImage + (scheme === 'light' ? '#8d9693' : '#7d8c92'), 'icon-rotation-alignment': 'map', 'icon-padding': 6,
      'icon-size': ['interpolate', ['linear'], ['zoom'], 15.5, 0.7, 18, 1.2],
    },
  };
}
