import type { Position } from '@hexhail/client';

/** How the device's own position does. */
export type GpsState = 'starting' | 'fix' | 'lost' | 'denied' | 'unsupported';

export interface Fix extends Position {
  readonly accuracy_m: number;
  /** When it was taken, by this device's clock. */
  readonly takenAt: number;
}

/** Without a fix for so long the position is lost, in milliseconds. */
const lostAfterMs = 60_000;
/** Devices that stand still fall silent; then they are asked, in milliseconds. */
const askAfterMs = 10_000;

/**
 * Follows the device's position until the returned function is called. Browsers report movements only, so this asks
 * again before the position of a standing car grows old.
 */
export function watchGps(onFix: (fix: Fix) => void, onState: (state: GpsState) => void): () => void {
  if (!('geolocation' in navigator) || !isSecureContext) {
    onState('unsupported');
    return () => undefined;
  }
  const gps = navigator.geolocation;
  let last = performance.now(); // no clock that may be set back
  let asked = last;
  let denied = false;
  const found = ({ coords, timestamp }: GeolocationPosition) => {
    last = performance.now();
    denied = false;
    onState('fix');
    onFix({
      lat: coords.latitude, lng: coords.longitude, accuracy_m: coords.accuracy, takenAt: timestamp,
      // While standing, browsers give no heading, or NaN.
      heading_deg: Number.isFinite(coords.heading) ? coords.heading : null,
      speed_mps: coords.speed,
    });
  };
  const failed = ({ code }: GeolocationPositionError) => {
    if (code === GeolocationPositionError.PERMISSION_DENIED) {
      denied = true;
      onState('denied');
    }
  };
  const precise: PositionOptions = { enableHighAccuracy: true, maximumAge: 0, timeout: 20_000 };
  onState('starting');
  const watch = gps.watchPosition(found, failed, precise);
  const looking = setInterval(() => {
    const now = performance.now();
    if (denied) return;
    if (now - last > lostAfterMs) onState('lost');
    if (now - last > askAfterMs && now - asked > askAfterMs) {
      asked = now;
      gps.getCurrentPosition(found, failed, precise);
    }
  }, 1000);
  return () => {
    gps.clearWatch(watch);
    clearInterval(looking);
  };
}
