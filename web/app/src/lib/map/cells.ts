import type { FeatureCollection, Polygon } from 'geojson';
import { cellToBoundary, getHexagonAreaAvg, gridDisk, gridDistance, latLngToCell, polygonToCells, UNITS } from 'h3-js';

import { wrapLng, type LatLng } from './geo';

/** No more cells than this are drawn as a grid. */
const mostCells = 900;

interface Bounds {
  readonly west: number;
  readonly south: number;
  readonly east: number;
  readonly north: number;
}

const nothing: FeatureCollection<Polygon> = { type: 'FeatureCollection', features: [] };

/** The resolution whose cells are neither dust nor walls at a zoom; null where a grid is of no use. */
export function gridResolution(zoom: number): number | null {
  if (zoom < 9) return null;
  if (zoom < 10.5) return 6;
  if (zoom < 12) return 7;
  if (zoom < 14.5) return 8;
  return 9;
}

/** The cells in view, as a faint grid. */
export function gridOf(bounds: Bounds, zoom: number): FeatureCollection<Polygon> {
  const resolution = gridResolution(zoom);
  if (resolution === null || bounds.east - bounds.west > 90) return nothing;
  // A little more than what is seen, so that small movements show no edge.
  const dLat = (bounds.north - bounds.south) * 0.15;
  const dLng = (bounds.east - bounds.west) * 0.15;
  const [south, north] = [Math.max(-89, bounds.south - dLat), Math.min(89, bounds.north + dLat)];
  const [west, east] = [bounds.west - dLng, bounds.east + dLng];
  const km2 = (north - south) * 111.2 * (east - west) * 111.2 * Math.cos(((north + south) / 2) * (Math.PI / 180));
  if (km2 / getHexagonAreaAvg(resolution, UNITS.km2) > mostCells) return nothing;
  const ring: [number, number][] = [[south, west], [south, east], [north, east], [north, west]];
  const cells = polygonToCells(ring.map(([lat, lng]): [number, number] => [lat, wrapLng(lng)]), resolution);
  return { type: 'FeatureCollection', features: cells.map((cell) => cellFeature(cell, (west + east) / 2, {})) };
}

/** The cells of a search, each with the ring `k` that it belongs to. */
export function ringsOf(center: LatLng, rings: number, resolution: number): FeatureCollection<Polygon> {
  const origin = latLngToCell(center.lat, center.lng, resolution);
  const k = Math.max(0, Math.min(16, Math.floor(rings)));
  return {
    type: 'FeatureCollection',
    features: gridDisk(origin, k).flatMap((cell) => {
      const ring = ringOf(origin, cell);
      return ring === null ? [] : [cellFeature(cell, center.lng, { k: ring })];
    }),
  };
}

/** Beside one of the twelve pentagons H3 cannot always give a distance. */
function ringOf(origin: string, cell: string): number | null {
  try {
    return gridDistance(origin, cell);
  } catch {
    return null;
  }
}

function cellFeature(cell: string, nearLng: number, properties: Record<string, number>) {
  // Corners beyond the antimeridian are given as if the world went on, which MapLibre understands.
  const ring = cellToBoundary(cell, true).map(([lng, lat]): [number, number] => [nearLng + wrapLng(lng - nearLng), lat]);
  return { type: 'Feature' as const, properties, geometry: { type: 'Polygon' as const, coordinates: [ring] } };
}
