import { Layer, Source, useMap } from '@vis.gl/react-maplibre';
import type { FeatureCollection, Point, Polygon } from 'geojson';
import type { ExpressionSpecification, MapLayerMouseEvent } from 'maplibre-gl';
import { useEffect, useMemo, useRef } from 'react';

import type { Schemas } from '../../../api/http';
import { useServerConfig } from '../../../api/queries';
import { ringsOf } from '../../../lib/map/cells';
import type { LatLng } from '../../../lib/map/geo';
import { decisionColors, decisionOn } from './decision';

interface Props {
  readonly pickup: LatLng;
  readonly wave: Schemas['WaveView'];
  readonly pointed: string | null;
  readonly onPick: (driver: string) => void;
}

const layer = 'candidates';
/** Until it is known how large cells are. */
const noCells: FeatureCollection<Polygon> = { type: 'FeatureCollection', features: [] };

/** The cells that a wave searched, and its candidates where they were then. Comes with the map's chunk. */
export default function ExplainLayers({ pickup: { lat, lng }, wave, pointed, onPick }: Props) {
  const resolution = useServerConfig().data?.h3_resolution;
  const cells = useMemo(
    () => (resolution === undefined ? noCells : ringsOf({ lat, lng }, wave.ring, resolution)), [lat, lng, wave.ring, resolution],
  );
  const candidates = useMemo((): FeatureCollection<Point> => ({
    type: 'FeatureCollection',
    features: (wave.candidates ?? []).filter((c) => c.located).map((c) => ({
      type: 'Feature', geometry: { type: 'Point', coordinates: [c.lng, c.lat] },
      properties: { driver: c.driver_id, color: decisionColors[decisionOn(c)], big: c.offered },
    // The first are the best: they are drawn last, above the others.
    })).reverse() as FeatureCollection<Point>['features'],
  }), [wave]);
  usePick(onPick);
  const isPointed: ExpressionSpecification = ['==', ['get', 'driver'], pointed ?? ''];
  return (
    <>
      <Source id="searched" type="geojson" data={cells}>
        <Layer id="searched-fill" type="fill" paint={{ 'fill-color': '#17a79e', 'fill-opacity': 0.1 }} />
        <Layer id="searched-line" type="line" paint={{ 'line-color': '#17a79e', 'line-opacity': 0.5, 'line-width': 1 }} />
      </Source>
      <Source id={layer} type="geojson" data={candidates}>
        <Layer id={layer} type="circle" paint={{
          'circle-color': ['get', 'color'],
          'circle-radius': ['+', ['case', ['get', 'big'], 7, 4.5], ['case', isPointed, 4, 0]],
          'circle-stroke-color': ['case', isPointed, '#000000', '#ffffff'],
          'circle-stroke-width': ['case', isPointed, 3, 1.5],
        }} />
      </Source>
    </>
  );
}

/** Reports which candidate was clicked. */
function usePick(onPick: (driver: string) => void): void {
  const { current: map } = useMap();
  const newest = useRef(onPick);
  useEffect(() => {
    newest.current = onPick;
  });
  useEffect(() => {
    if (!map) return;
    const click = (e: MapLayerMouseEvent) => {
      const driver: unknown = e.features?.at(-1)?.properties.driver;
      if (typeof driver === 'string') newest.current(driver);
    };
    const enter = () => { map.getCanvas().style.cursor = 'pointer'; };
    const leave = () => { map.getCanvas().style.cursor = ''; };
    map.on('click', layer, click);
    map.on('mouseenter', layer, enter);
    map.on('mouseleave', layer, leave);
    return () => {
      map.off('click', layer, click);
      map.off('mouseenter', layer, enter);
      map.off('mouseleave', layer, leave);
    };
  }, [map]);
}
