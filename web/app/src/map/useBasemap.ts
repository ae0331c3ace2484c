import { useCallback, useEffect, useRef, useState } from 'react';

import { hasTiles, loadTiles, plain, tilesTimeoutMs, type Basemap, type MapSettings } from './basemap';
import type { Scheme } from './plainStyle';

/** What the map is drawn on now, and why. */
export interface BasemapState {
  readonly basemap: Basemap;
  /** `failed`: there should be tiles, but they cannot be reached. */
  readonly tiles: 'none' | 'loading' | 'shown' | 'failed';
  /** To be told when a tile arrived, and when one could not be had. */
  readonly onTile: () => void;
  readonly onTileError: () => void;
}

/**
 * Begins with the plain map and goes over to the operator's tiles once their style is there. If then no tile comes
 * within a few seconds, or errors do, it goes back: a plain map is of more use than a grey void.
 */
export function useBasemap(settings: MapSettings | undefined, scheme: Scheme, language: string): BasemapState {
  const [tiles, setTiles] = useState<Basemap | null>(null);
  const [failed, setFailed] = useState(false);
  const arrived = useRef(false);
  const wanted = hasTiles(settings);
  const { style_url = '', pmtiles_url = '', attribution = '' } = settings ?? {};

  useEffect(() => {
    if (!wanted) return;
    const ended = new AbortController();
    let patience: ReturnType<typeof setTimeout> | undefined;
    arrived.current = false;
    loadTiles({ style_url, pmtiles_url, attribution }, scheme, language, ended.signal).then(
      (loaded) => {
        if (ended.signal.aborted) return;
        setTiles(loaded);
        setFailed(false);
        patience = setTimeout(() => setFailed(!arrived.current), tilesTimeoutMs);
      },
      () => {
        if (!ended.signal.aborted) setFailed(true);
      },
    );
    return () => {
      ended.abort();
      clearTimeout(patience);
    };
  }, [wanted, style_url, pmtiles_url, attribution, scheme, language]);

  const onTile = useCallback(() => {
    arrived.current = true;
  }, []);
  const onTileError = useCallback(() => {
    if (!arrived.current) setFailed(true);
  }, []);

  const shown = wanted && !failed ? tiles : null;
  return {
    basemap: shown ?? plainOnce(scheme),
    tiles: !wanted ? 'none' : failed ? 'failed' : shown ? 'shown' : 'loading',
    onTile,
    onTileError,
  };
}

// The same object each time, or MapLibre would compare the whole outline of the world on every render.
const plains = new Map<Scheme, Basemap>();

function plainOnce(scheme: Scheme): Basemap {
  const known = plains.get(scheme);
  if (known) return known;
  const made = plain(scheme);
  plains.set(scheme, made);
  return made;
}
