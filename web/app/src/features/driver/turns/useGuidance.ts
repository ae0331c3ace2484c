import { useEffect, useState } from 'react';

import { placeOn, type PositionSource } from '../../../lib/map';
import type { Planned } from '../../../lib/trip/route';
import { guide, type Guidance } from './guide';

/** What is known of a drive along a route, as of the newest position. */
export interface Drive {
  readonly planned: Planned;
  readonly guidance: Guidance;
  /** Along the way, in metres per second. */
  readonly speedMps: number;
}

/** How fast a new speed counts: positions jump. */
const newShare = 0.5;

/** Where the car is on its route; null without a route along streets, and until its position is known. */
export function useGuidance(planned: Planned | null, positions: PositionSource): Drive | null {
  const [drive, setDrive] = useState<Drive | null>(null);
  useEffect(() => {
    const way = planned?.way;
    if (!planned || !way) return;
    let before: { alongM: number; at: number; speedMps: number } | null = null;
    const hear = () => {
      const here = positions.get();
      if (!here) {
        setDrive(null);
        return;
      }
      const at = performance.now();
      const { alongM, awayM } = placeOn(way, here, before?.alongM ?? 0);
      const passed = before ? (at - before.at) / 1000 : 0;
      const latest = before && passed > 0.2 ? Math.max(0, (alongM - before.alongM) / passed) : 0;
      const speedMps = before ? before.speedMps + newShare * (latest - before.speedMps) : 0;
      before = { alongM, at, speedMps };
      setDrive({ planned, guidance: guide(way, planned.route.steps, { alongM, awayM, accuracyM: here.accuracyM ?? 0 }), speedMps });
    };
    hear();
    return positions.subscribe(hear);
  }, [planned, positions]);
  return drive?.planned === planned ? drive : null;
}
