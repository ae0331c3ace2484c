import { bearingBetween, between, distanceBetween, type LatLng } from './geo';
import type { MovingPosition } from './positions';

/** Positions come at least this far apart when a movement takes longer to draw, in milliseconds. */
const slowest = 4000;
const quickest = 150;
/** Nearer than this, in metres, a movement is noise and has no direction. */
const stillM = 2;
/** Longer jumps, in metres, are not drawn as drives. */
const jumpM = 5000;

/** Where a marker is drawn. */
export interface Pose {
  readonly point: LatLng;
  readonly headingDeg: number;
}

/**
 * Turns positions that come now and then into a steady movement: each stretch is drawn over as long as the one before
 * took to arrive, so that the marker is always on its way, one interval behind.
 */
export class Glide {
  #from: Pose | null = null;
  #to: Pose | null = null;
  #start = 0;
  #lasts = 0;
  #arrived = 0;

  /** Takes a new position at the time `now` in milliseconds. `still`: draw it there at once. */
  push(position: MovingPosition, now: number, still = false): void {
    const last = this.#to;
    const point = { lat: position.lat, lng: position.lng };
    const far = last ? distanceBetween(last.point, point) : 0;
    const headingDeg = position.headingDeg ?? (last && far > stillM ? bearingBetween(last.point, point) : (last?.headingDeg ?? 0));
    const pose = { point, headingDeg };
    const waited = now - this.#arrived;
    this.#from = !last || still || far > jumpM ? pose : this.at(now);
    this.#to = pose;
    this.#start = now;
    this.#lasts = Math.min(slowest, Math.max(quickest, waited));
    this.#arrived = now;
  }

  /** Where to draw it at the time `now`; null before the first position. */
  at(now: number): Pose | null {
    if (!this.#from || !this.#to) return null;
    const share = Math.min(1, Math.max(0, (now - this.#start) / this.#lasts));
    // A car turns faster than it drives on.
    return {
      point: between(this.#from.point, this.#to.point, share),
      headingDeg: turn(this.#from.headingDeg, this.#to.headingDeg, Math.min(1, share * 2.5)),
    };
  }

  /** Whether the marker stands where it should at the time `now`. */
  done(now: number): boolean {
    return now - this.#start >= this.#lasts;
  }
}

/** Turns from one heading to another, the shorter way round. */
function turn(from: number, to: number, share: number): number {
  const by = ((((to - from) % 360) + 540) % 360) - 180;
  return (from + by * share + 360) % 360;
}
