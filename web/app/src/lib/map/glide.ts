import { bearingBetween, between, distanceBetween, type LatLng } from './geo';
import type { MovingPosition } from './positions';
import { bearingAt, placeOn, pointAt, type Way } from './way';

/** Positions come at least this far apart when a movement takes longer to draw, in milliseconds. */
const slowest = 4000;
const quickest = 150;
/** Nearer than this, in metres, a movement is noise and has no direction. */
const stillM = 2;
/** Longer jumps, in metres, are not drawn as drives. */
const jumpM = 5000;
/** A car this near to its planned way is drawn on it, in metres: positions are rarely more accurate. */
const onWayM = 30;

/** Where a marker is drawn. */
export interface Pose {
  readonly point: LatLng;
  readonly headingDeg: number;
  /** How far along its way, in metres; null while it has none, or is elsewhere. */
  readonly alongM: number | null;
}

/**
 * Turns positions that come now and then into a steady movement: each stretch is drawn over as long as the one before
 * took to arrive, so that the marker is always on its way, one interval behind. With a planned way it goes around
 * corners instead of across blocks.
 */
export class Glide {
  #from: Pose | null = null;
  #to: Pose | null = null;
  #start = 0;
  #lasts = 0;
  #arrived = 0;
  #way: Way | null = null;
  /** The newest position as it came, to be placed again on another way. */
  #newest: Omit<Pose, 'alongM'> | null = null;

  /** Goes along this way from now on, as far as positions lie on it. */
  take(way: Way | null, now: number): void {
    if (way === this.#way) return;
    const drawn = this.at(now);
    this.#way = way;
    if (!drawn || !this.#newest) return;
    this.#from = this.#placed(drawn);
    this.#to = this.#placed(this.#newest, this.#from.alongM);
    const passed = Math.max(0, now - this.#start);
    this.#start = now;
    this.#lasts = Math.max(0, this.#lasts - passed);
  }

  /** Takes a new position at the time `now` in milliseconds. `still`: draw it there at once. */
  push(position: MovingPosition, now: number, still = false): void {
    const last = this.#newest;
    const point = { lat: position.lat, lng: position.lng };
    const far = last ? distanceBetween(last.point, point) : 0;
    const headingDeg = position.headingDeg ?? (last && far > stillM ? bearingBetween(last.point, point) : (last?.headingDeg ?? 0));
    this.#newest = { point, headingDeg };
    const waited = now - this.#arrived;
    const to = this.#placed(this.#newest, this.#to?.alongM ?? null);
    this.#from = !last || still || far > jumpM ? to : this.at(now);
    this.#to = to;
    this.#start = now;
    this.#lasts = Math.min(slowest, Math.max(quickest, waited));
    this.#arrived = now;
  }

  /** Where to draw it at the time `now`; null before the first position. */
  at(now: number): Pose | null {
    const [from, to] = [this.#from, this.#to];
    if (!from || !to) return null;
    const share = this.#lasts === 0 ? 1 : Math.min(1, Math.max(0, (now - this.#start) / this.#lasts));
    if (this.#way && from.alongM !== null && to.alongM !== null && to.alongM > from.alongM) {
      const alongM = from.alongM + (to.alongM - from.alongM) * share;
      return { point: pointAt(this.#way, alongM), headingDeg: bearingAt(this.#way, alongM), alongM };
    }
    return {
      point: between(from.point, to.point, share),
      // A car turns faster than it drives on.
      headingDeg: turn(from.headingDeg, to.headingDeg, Math.min(1, share * 2.5)),
      alongM: share < 1 ? from.alongM : to.alongM,
    };
  }

  /** Whether the marker stands where it should at the time `now`. */
  done(now: number): boolean {
    return now - this.#start >= this.#lasts;
  }

  /** A pose on the way, if it is near it. */
  #placed(pose: Omit<Pose, 'alongM'>, expectedM: number | null = null): Pose {
    if (!this.#way) return { ...pose, alongM: null };
    const { alongM, awayM } = placeOn(this.#way, pose.point, expectedM ?? 0);
    if (awayM > onWayM) return { ...pose, alongM: null };
    return { point: pointAt(this.#way, alongM), headingDeg: bearingAt(this.#way, alongM), alongM };
  }
}

/** Turns from one heading to another, the shorter way round. */
export function turn(from: number, to: number, share: number): number {
  const by = ((((to - from) % 360) + 540) % 360) - 180;
  return (from + by * share + 360) % 360;
}
