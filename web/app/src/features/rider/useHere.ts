import { useEffect, useRef, useState } from 'react';

import { useGeolocation, type Geolocation } from '../../lib/map';
import { isServed, useDemo, type Plan } from './usePlan';

/** Filling in where the rider is. */
export interface Here {
  readonly state: Geolocation['state'];
  readonly locate: () => void;
  /** Why the pickup was not filled in. */
  readonly problem: 'denied' | 'unavailable' | 'elsewhere' | null;
  readonly city: string;
}

/**
 * Makes the device's place the pickup: when asked to, and by itself where the browser has been allowed before and there
 * is no pickup yet.
 */
export function useHere(plan: Plan): Here {
  const demo = useDemo();
  const [elsewhere, setElsewhere] = useState(false);
  const { state, locate } = useGeolocation((point) => {
    const served = isServed(point, demo);
    setElsewhere(!served);
    if (served) plan.choose({ point, address: '' }, 'pickup');
  });

  const missing = plan.draft.pickup === undefined;
  const tried = useRef(false);
  useEffect(() => {
    if (!missing || tried.current || !('permissions' in navigator)) return;
    tried.current = true;
    navigator.permissions.query({ name: 'geolocation' }).then(
      (permission) => permission.state === 'granted' && locate(),
      () => undefined, // then it waits for the button
    );
  }, [missing, locate]);

  const failed = state === 'denied' || state === 'unavailable' ? state : null;
  return { state, locate, problem: missing ? failed ?? (elsewhere ? 'elsewhere' : null) : null, city: demo?.city.name ?? '' };
}
