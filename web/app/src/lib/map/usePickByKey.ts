import { useMap } from '@vis.gl/react-maplibre';
import { useEffect, useRef } from 'react';

import type { LatLng } from './geo';

/** Picks the middle of the map with Enter, while the map has the keyboard's focus: arrow keys move it, Enter takes it. */
export function usePickByKey(onPick: ((point: LatLng) => void) | undefined): void {
  const { current: map } = useMap();
  const newest = useRef(onPick);
  useEffect(() => {
    newest.current = onPick;
  });
  useEffect(() => {
    if (!map) return;
    const canvas = map.getCanvas();
    const keyed = (e: KeyboardEvent) => {
      if (e.key !== 'Enter' || !newest.current) return;
      e.preventDefault();
      // The middle of what is not covered: the map knows its padding.
      const { lat, lng } = map.getCenter().wrap();
      newest.current({ lat, lng });
    };
    canvas.addEventListener('keydown', keyed);
    return () => canvas.removeEventListener('keydown', keyed);
  }, [map]);
}
