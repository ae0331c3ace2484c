import type { MapRef } from '@vis.gl/react-maplibre';

/** A camera that drives along moves the map with every frame; what looks at the map looks no more often than this, in milliseconds. */
const everyMs = 400;

/** Calls `look` at once and after the map has moved, the last time after the last movement. Returns an end to it. */
export function onMoved(map: MapRef, look: () => void): () => void {
  let waiting: ReturnType<typeof setTimeout> | undefined;
  let again = false;
  const see = () => {
    again = false;
    look();
    waiting = setTimeout(() => {
      waiting = undefined;
      if (again) see();
    }, everyMs);
  };
  const moved = () => {
    if (waiting === undefined) see();
    else again = true;
  };
  look();
  map.on('moveend', moved);
  return () => {
    map.off('moveend', moved);
    clearTimeout(waiting);
  };
}
