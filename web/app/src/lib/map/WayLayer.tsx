import { Layer, Source, useMap } from '@vis.gl/react-maplibre';
import type { LineString } from 'geojson';
import type { ExpressionSpecification } from 'maplibre-gl';
import { useEffect, useMemo, useState } from 'react';

import type { Pose } from './glide';
import type { Motion } from './motion';
import { wayColors, type Scheme } from './plainStyle';
import type { Way } from './way';

/** The part of a way that must change to be drawn again: a pixel or so. */
const leastChange = 0.0005;

/** A line of two colours: of what is driven, and of what is left. */
const gradient = (share: number, driven: string, left: string): ExpressionSpecification => ['step', ['line-progress'], driven, Math.min(1, Math.max(0, share)), left];

const width = (far: number, near: number): ExpressionSpecification => ['interpolate', ['linear'], ['zoom'], 12, far, 17, near];

/** The planned way along the streets, under the streets' names. What the car has driven fades behind it. */
export function WayLayer({ way, motion, scheme }: { way: Way; motion: Motion | null; scheme: Scheme }) {
  const { current: map } = useMap();
  const label = useFirstLabel();
  const c = wayColors[scheme];
  const data = useMemo((): { type: 'Feature'; properties: object; geometry: LineString } => ({
    type: 'Feature', properties: {}, geometry: { type: 'LineString', coordinates: way.points.map((p) => [p.lng, p.lat]) },
  }), [way]);

  useEffect(() => {
    if (!map) return;
    let drawn = 0;
    let on: unknown = null;
    const paint = (pose: Pose | null) => {
      const layer = map.getLayer('way');
      // A car beside its way has driven what it had.
      const share = (pose?.alongM ?? drawn * way.lengthM) / way.lengthM;
      if (!layer || (layer === on && Math.abs(share - drawn) < leastChange)) return;
      on = layer;
      drawn = share;
      map.getMap().setPaintProperty('way-case', 'line-gradient', gradient(share, c.drivenCase, c.leftCase));
      map.getMap().setPaintProperty('way', 'line-gradient', gradient(share, c.driven, c.left));
      map.getContainer().dataset.driven = share.toFixed(3);
    };
    const again = () => paint(motion?.pose ?? null);
    const end = motion?.subscribe(paint);
    map.getContainer().dataset.driven = '0.000';
    // Another style brings these layers again, as when the night begins.
    map.on('idle', again);
    return () => {
      end?.();
      map.off('idle', again);
      delete map.getContainer().dataset.driven;
    };
  }, [map, motion, way, c]);

  const layout = { 'line-cap': 'round', 'line-join': 'round' } as const;
  const before = label === undefined ? {} : { beforeId: label };
  return (
    <Source id="way" type="geojson" lineMetrics data={data}>
      <Layer id="way-case" type="line" layout={layout} {...before} paint={{ 'line-gradient': gradient(0, c.drivenCase, c.leftCase), 'line-width': width(8, 14) }} />
      <Layer id="way" type="line" layout={layout} {...before} paint={{ 'line-gradient': gradient(0, c.driven, c.left), 'line-width': width(5, 9.5) }} />
    </Source>
  );
}

/** The lowest layer with names, if the map has any. */
function useFirstLabel(): string | undefined {
  const { current: map } = useMap();
  const [label, setLabel] = useState<string>();
  useEffect(() => {
    if (!map) return;
    const look = () => {
      const drawn = map.getMap();
      setLabel(drawn.getLayersOrder().find((id) => drawn.getLayer(id)?.type === 'symbol'));
    };
    look(); // the style is there long before its tiles are, and says so but once
    map.on('style.load', look);
    return () => void map.off('style.load', look);
  }, [map]);
  return label;
}
