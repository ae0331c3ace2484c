import { useComputedColorScheme } from '@mantine/core';
import { useMap } from '@vis.gl/react-maplibre';
import { useEffect, useEffectEvent, useRef } from 'react';

import { useHome } from '../../lib/map';
import { boundsOf, type Bounds } from './live/city';
import { useFeed, useLiveCity } from './live/hooks';
import { MapPainter } from './painter/MapPainter';
import type { MapView, Selected } from './mapView';

export interface MapCanvasProps {
  readonly view: MapView;
  readonly selected: Selected | null;
  /** Whether the map stays with the selected driver or trip. */
  readonly follow: boolean;
  /** Whenever it rises the map shows all drivers. */
  readonly overview: number;
  readonly onSelect: (selected: Selected | null) => void;
  readonly onUnfollow: () => void;
  /** Called with what is in view, after each movement of the map. */
  readonly onBounds: (bounds: Bounds) => void;
}

/** The city on the map that it is a child of. */
export default function MapCanvas({ view, selected, follow, overview, onSelect, onUnfollow, onBounds }: MapCanvasProps) {
  const live = useLiveCity();
  const scheme = useComputedColorScheme('light');
  const map = useMap().current?.getMap();
  const { resolution, heard } = useFeed();
  const painter = useRef<MapPainter | null>(null);

  const start = useEffectEvent((on: NonNullable<typeof map>) => {
    const made = new MapPainter(on, live.store, view, scheme);
    made.select(selected);
    return made;
  });
  useEffect(() => {
    if (!map) return;
    const made = start(map);
    painter.current = made;
    return () => {
      made.remove();
      painter.current = null;
    };
  }, [map]);
  useEffect(() => painter.current?.show(view, scheme), [view, scheme]);
  useEffect(() => painter.current?.select(selected), [selected]);

  const clicked = useEffectEvent((point: { x: number; y: number }) => onSelect(painter.current?.at(point, resolution) ?? null));
  const moved = useEffectEvent(() => {
    const b = map?.getBounds();
    if (b) onBounds({ west: wrap(b.getWest()), south: b.getSouth(), east: wrap(b.getEast()), north: b.getNorth() });
  });
  const dragged = useEffectEvent(() => onUnfollow());
  useEffect(() => {
    if (!map) return;
    const ends = [
      map.on('click', (e) => clicked(e.point)), map.on('moveend', () => moved()), map.on('resize', () => moved()), map.on('dragstart', () => dragged()),
    ];
    moved();
    return () => ends.forEach((end) => end.unsubscribe());
  }, [map]);

  // Once: where the operator's map has no home and was nowhere before, it shows all drivers.
  const fitted = useRef(false);
  const { settled, exact } = useHome();
  useEffect(() => {
    if (!map || !heard || !settled || exact || fitted.current) return;
    const fit = () => {
      const bounds = boundsOf(live.store.city);
      if (!bounds || fitted.current || map.getZoom() > 5) return; // the operator already looks at a place
      map.fitBounds([bounds.west, bounds.south, bounds.east, bounds.north], { padding: 40, maxZoom: 14, animate: false });
      fitted.current = true;
    };
    fit();
    // The first parts of a snapshot may hold no drivers.
    return live.store.subscribe('drivers', fit);
  }, [map, heard, settled, exact, live]);

  useEffect(() => {
    const bounds = overview > 0 ? boundsOf(live.store.city) : null;
    if (map && bounds) map.fitBounds([bounds.west, bounds.south, bounds.east, bounds.north], { padding: 40, maxZoom: 14, duration: 600 });
  }, [map, overview, live]);

  useEffect(() => {
    if (!map || !follow || !selected) return;
    const go = () => {
      const at = placeOf(selected);
      if (at) map.easeTo({ center: at, duration: 600, zoom: Math.max(map.getZoom(), 13) });
    };
    const placeOf = ({ kind, id }: Selected): [number, number] | null => {
      const { drivers, trips } = live.store.city;
      const trip = kind === 'trip' ? trips.get(id) : undefined;
      const point = drivers.get(kind === 'driver' ? id : (trip?.driver_id ?? ''))?.point ?? trip?.pickup;
      return point ? [point.lng, point.lat] : null;
    };
    go();
    return live.store.subscribe('moves', go);
  }, [map, follow, selected, live]);
  return null;
}

/** Degrees between -180 and 180. */
const wrap = (lng: number): number => ((((lng + 180) % 360) + 360) % 360) - 180;
