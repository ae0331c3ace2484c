import { useCallback, useEffect, useRef, useState } from 'react';

import type { LatLng } from './geo';

/** What came of asking the device where it is. */
export type GeolocationState = 'idle' | 'asking' | 'found' | 'denied' | 'unavailable' | 'unsupported';

export interface Geolocation {
  readonly state: GeolocationState;
  readonly point: LatLng | null;
  readonly accuracyM: number | null;
  /** Asks once; the browser may ask the person first. */
  readonly locate: () => void;
}

const codes: Readonly<Record<number, GeolocationState>> = { 1: 'denied', 2: 'unavailable', 3: 'unavailable' };

/** Where the device is, asked for once by a button. */
export function useGeolocation(onFound?: (point: LatLng, accuracyM: number) => void): Geolocation {
  const [found, setFound] = useState<{ state: GeolocationState; point: LatLng | null; accuracyM: number | null }>(() => ({
    state: 'geolocation' in navigator && isSecureContext ? 'idle' : 'unsupported', point: null, accuracyM: null,
  }));
  const newest = useRef(onFound);
  useEffect(() => {
    newest.current = onFound;
  });
  const mounted = useMounted();

  const locate = useCallback(() => {
    if (!('geolocation' in navigator) || !isSecureContext) return;
    setFound((f) => ({ ...f, state: 'asking' }));
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        if (!mounted.current) return;
        const point = { lat: coords.latitude, lng: coords.longitude };
        setFound({ state: 'found', point, accuracyM: coords.accuracy });
        newest.current?.(point, coords.accuracy);
      },
      ({ code }) => {
        if (mounted.current) setFound((f) => ({ ...f, state: codes[code] ?? 'unavailable' }));
      },
      { enableHighAccuracy: true, timeout: 10_000, maximumAge: 30_000 },
    );
  }, [mounted]);

  return { ...found, locate };
}

function useMounted() {
  const mounted = useRef(false);
  useEffect(() => {
    mounted.current = true;
    return () => {
      mounted.current = false;
    };
  }, []);
  return mounted;
}
