import { Layer, Source, useMap } from '@vis.gl/react-maplibre';
import type { FeatureCollection, LineString, MultiPoint, Polygon } from 'geojson';
import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';

import { gridOf, gridResolution, ringsOf } from './cells';
import { circleRing, type LatLng } from './geo';
import { onMoved } from './moved';
import type { PositionSource } from './positions';
import { colors, type Scheme } from './plainStyle';
import type { Area, SearchRings } from './types';
import { useReducedMotion } from './useReducedMotion';

const polygon = (ring: [number, number][], properties = {}) => ({
  type: 'Feature' as const, properties, geometry: { type: 'Polygon' as const, coordinates: [ring] },
});

/** The cells by which drivers are found, as a faint grid on the plain map. */
export function GridLayer({ scheme }: { scheme: Scheme }) {
  const { current: map } = useMap();
  const [cells, setCells] = useState<FeatureCollection<Polygon> | null>(null);
  useEffect(() => {
    if (!map) return;
    const draw = () => {
      const b = map.getBounds();
      const zoom = map.getZoom();
      // Without a grid before and now there is nothing to redraw.
      setCells((before) => (before === null && gridResolution(zoom) === null ? null
        : gridOf({ west: b.getWest(), south: b.getSouth(), east: b.getEast(), north: b.getNorth() }, zoom)));
    };
    return onMoved(map, draw);
  }, [map]);
  if (!cells) return null;
  return (
    <Source id="grid" type="geojson" data={cells}>
      <Layer id="grid" type="line" paint={{ 'line-color': colors[scheme].grid, 'line-opacity': scheme === 'light' ? 0.13 : 0.16, 'line-width': 1 }} />
    </Source>
  );
}

/** Places where people get in: together they draw the city's streets. */
export function PlacesLayer({ places, scheme }: { places: readonly number[]; scheme: Scheme }) {
  const data = useMemo((): { type: 'Feature'; properties: object; geometry: MultiPoint } => {
    const coordinates: [number, number][] = [];
    for (let i = 0; i + 1 < places.length; i += 2) coordinates.push([places[i + 1] ?? 0, places[i] ?? 0]);
    return { type: 'Feature', properties: {}, geometry: { type: 'MultiPoint', coordinates } };
  }, [places]);
  return (
    <Source id="places" type="geojson" data={data}>
      <Layer id="places" type="circle" minzoom={8}
        paint={{
          'circle-color': colors[scheme].places,
          'circle-radius': ['interpolate', ['exponential', 1.5], ['zoom'], 9, 0.7, 13, 1.9, 16, 3.6],
          'circle-opacity': ['interpolate', ['linear'], ['zoom'], 9, 0.3, 13, 0.45, 16, 0.4],
        }} />
    </Source>
  );
}

/** A line on the map. One of two points alone is dashed, so that it is not taken for a way to drive. */
export function RouteLayer({ id, way, scheme, faint = false }: { id: string; way: readonly LatLng[]; scheme: Scheme; faint?: boolean }) {
  const data = useMemo((): { type: 'Feature'; properties: object; geometry: LineString } => ({
    type: 'Feature', properties: {}, geometry: { type: 'LineString', coordinates: way.map((p) => [p.lng, p.lat]) },
  }), [way]);
  const c = colors[scheme];
  const straight = way.length === 2;
  return (
    <Source id={id} type="geojson" data={data}>
      <Layer id={`${id}-case`} type="line" layout={{ 'line-cap': 'round', 'line-join': 'round' }}
        paint={{ 'line-color': c.routeCase, 'line-width': faint ? 5 : 8, 'line-opacity': faint ? 0.4 : straight ? 0.6 : 0.9 }} />
      <Layer id={id} type="line" layout={{ 'line-cap': straight && !faint ? 'butt' : 'round', 'line-join': 'round' }}
        paint={faint
          ? { 'line-color': c.next, 'line-width': 3, 'line-opacity': 0.8, 'line-dasharray': [0.5, 2] }
          : { 'line-color': c.route, 'line-width': 4.5, ...(straight ? { 'line-dasharray': [2, 1.4] } : {}) }} />
    </Source>
  );
}

/** A line whose beginning moves. It subscribes to its source. */
export function MovingRouteLayer({ from, way, scheme }: { from: PositionSource; way: readonly LatLng[]; scheme: Scheme }) {
  const here = useSyncExternalStore(from.subscribe, from.get);
  // The car is drawn one interval behind: the line must not begin in front of it.
  const [trail, setTrail] = useState({ here, before: here });
  if (trail.here !== here) setTrail({ here, before: trail.here });
  const begin = trail.before ?? here;
  const whole = useMemo(() => (begin ? [begin, ...way] : way), [begin, way]);
  return whole.length > 1 ? <RouteLayer id="route" way={whole} scheme={scheme} /> : null;
}

/** Circles on the ground, such as the areas that offers lie in. */
export function AreasLayer({ areas, scheme }: { areas: readonly Area[]; scheme: Scheme }) {
  const data = useMemo((): FeatureCollection<Polygon> => ({
    type: 'FeatureCollection',
    features: areas.map((a) => polygon(circleRing(a.center, a.radiusM), { strong: a.strong ?? false })),
  }), [areas]);
  const color = colors[scheme].area;
  return (
    <Source id="areas" type="geojson" data={data}>
      <Layer id="areas-fill" type="fill" paint={{ 'fill-color': color, 'fill-opacity': ['case', ['get', 'strong'], 0.24, 0.1] }} />
      <Layer id="areas-line" type="line" paint={{ 'line-color': color, 'line-width': ['case', ['get', 'strong'], 2.5, 1.5], 'line-opacity': ['case', ['get', 'strong'], 0.9, 0.5] }} />
    </Source>
  );
}

/** How accurate a position is. It subscribes to its source. */
export function AccuracyLayer({ positions, scheme }: { positions: PositionSource; scheme: Scheme }) {
  const position = useSyncExternalStore(positions.subscribe, positions.get);
  const accuracy = position?.accuracyM ?? 0;
  const data = useMemo((): FeatureCollection<Polygon> => ({
    type: 'FeatureCollection',
    // Smaller circles hide under the marker; kilometres would only colour everything.
    features: position && accuracy > 15 && accuracy < 20_000 ? [polygon(circleRing(position, accuracy))] : [],
  }), [position, accuracy]);
  return (
    <Source id="accuracy" type="geojson" data={data}>
      <Layer id="accuracy" type="fill" paint={{ 'fill-color': colors[scheme].self, 'fill-opacity': 0.12 }} />
    </Source>
  );
}

/** The cells that are searched, with a wave that runs outwards through them. */
export function SearchLayer({ search, scheme }: { search: SearchRings; scheme: Scheme }) {
  const { center: { lat, lng }, rings, resolution } = search;
  const data = useMemo(() => ringsOf({ lat, lng }, rings, resolution), [lat, lng, rings, resolution]);
  const { current: map } = useMap();
  const still = useReducedMotion();
  useEffect(() => {
    if (!map || still) return;
    let frame = 0;
    let drawn = 0;
    const draw = (now: number) => {
      frame = requestAnimationFrame(draw);
      if (now - drawn < 50 || !map.getLayer('search-fill')) return;
      drawn = now;
      // Longer searches reach farther; the wave keeps its pace.
      const front = ((now / 420) % (rings + 3)) - 1;
      map.getMap().setPaintProperty('search-fill', 'fill-opacity',
        ['interpolate', ['linear'], ['abs', ['-', ['get', 'k'], front]], 0, 0.34, 1.6, 0.1]);
    };
    frame = requestAnimationFrame(draw);
    return () => cancelAnimationFrame(frame);
  }, [map, rings, still]);
  const color = colors[scheme].area;
  return (
    <Source id="search" type="geojson" data={data}>
      <Layer id="search-fill" type="fill" paint={{ 'fill-color': color, 'fill-opacity': 0.14 }} />
      <Layer id="search-line" type="line" paint={{ 'line-color': color, 'line-opacity': 0.45, 'line-width': 1 }} />
    </Source>
  );
}
