import { useCallback, useEffect, useRef, useState } from 'react';

import { hasTiles, loadTiles, patienceMs, plain, type Basemap, type MapSettings } from './basemap';
import type { Scheme } from './plainStyle';

/** So many tiles in a row that cannot be had mean that none can; a single one is a hole in the map. */
const mostErrors = 3;
/** When tiles are tried again after they failed: first after so long, then ever later, in milliseconds. */
const tryAgainMs = { first: 15_000, most: 5 * 60_000 };

/** What the map is drawn on now, and why. */
export interface BasemapState {
  readonly basemap: Basemap;
  /** `failed`: there should be tiles, but they cannot be had now. */
  readonly tiles: 'none' | 'loading' | 'shown' | 'failed';
  /** Called when a tile arrives, and when one cannot be loaded. */
  readonly onTile: () => void;
  readonly onTileError: () => void;
}

/**
 * Begins with the plain map and goes over to the tiles once their style is there. If then no tile comes
 * within a few seconds, or several in a row fail, however late, it goes back: a plain map is of more use than a grey
 * void. From time to time, and when the device has a network again, it tries the tiles again.
 */
export function useBasemap(settings: MapSettings | undefined, scheme: Scheme, language: string): BasemapState {
  const [tiles, setTiles] = useState<Basemap | null>(null);
  const [failed, setFailed] = useState(false);
  const [attempt, setAttempt] = useState(0);
  const arrived = useRef(false);
  const errors = useRef(0);
  const wanted = hasTiles(settings);
  const { style_url = '', pmtiles_url = '', attribution = '', streets } = settings ?? {};
  const streetsId = streets?.id; // another map has another style

  useEffect(() => {
    if (!wanted) return;
    const ended = new AbortController();
    let patience: ReturnType<typeof setTimeout> | undefined;
    arrived.current = false;
    errors.current = 0;
    loadTiles({ style_url, pmtiles_url, attribution }, scheme, language, ended.signal).then(
      (loaded) => {
        if (ended.signal.aborted) return;
        setTiles(loaded);
        setFailed(false);
        patience = setTimeout(() => { if (!arrived.current) setFailed(true); }, patienceMs({ style_url, pmtiles_url }));
      },
      () => {
        if (!ended.signal.aborted) setFailed(true);
      },
    );
    return () => {
      ended.abort();
      clearTimeout(patience);
    };
  }, [wanted, style_url, pmtiles_url, attribution, streetsId, scheme, language, attempt]);

  useEffect(() => {
    if (!wanted || !failed) return;
    const again = () => setAttempt((n) => n + 1);
    const waiting = setTimeout(again, Math.min(tryAgainMs.most, tryAgainMs.first * 2 ** attempt));
    window.addEventListener('online', again);
    return () => {
      clearTimeout(waiting);
      window.removeEventListener('online', again);
    };
  }, [wanted, failed, attempt]);

  const onTile = useCallback(() => {
    arrived.current = true;
    errors.current = 0;
  }, []);
  const onTileError = useCallback(() => {
    errors.current++;
    if (errors.current >= mostErrors) setFailed(true);
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
