import { bearingBetween, between, distanceBetween, offsetBy, type LatLng } from '../../../lib/map/geo';
import { bearingAt, placeOn, pointAt, type Way } from '../../../lib/map/way';

/** How fast a simulated car drives at pace 1, in metres per second: 30 km/h, a city's pace. */
export const cruisingMps = 30 / 3.6;
/** A car this near to its target is there, in metres. */
const thereM = 3;
/** A car joins its way where this is near, in metres; from farther off it drives there first. */
const joinM = 15;
/** How far a car without a target strays from where it waits, in metres. */
const strollM = 350;
/** How long it stands between two strolls, in seconds. */
const restS = { least: 8, most: 25 };

/** Where a simulated car is, and how it moves. */
export interface SimulatedPosition extends LatLng {
  readonly headingDeg: number;
  /** Metres per second, pace included. */
  readonly speedMps: number;
}

/**
 * A self-driving car, for trying Hexhail out. With a target it drives along the way that is planned, or takes the straight
 * line where there is none; without a target it stands, and now and then cruises around the place where it waits. Time comes from outside.
 */
export class SimulatedDrive {
  #at: LatLng;
  #headingDeg = 0;
  #target: LatLng | null = null;
  #way: Way | null = null;
  /** How far along its way it is, in metres; null until it has joined it. */
  #alongM: number | null = null;
  /** Where it waits without a target. */
  #home: LatLng;
  #stroll: LatLng | null = null;
  #restS: number;
  readonly #random: () => number;

  /** `random` gives numbers from 0 up to, not including, 1. */
  constructor(at: LatLng, random: () => number = Math.random) {
    this.#at = at;
    this.#home = at;
    this.#random = random;
    this.#restS = restS.least;
  }

  /** Where it drives to; null: nowhere. What it reaches becomes the place where it waits. */
  set target(target: LatLng | null) {
    if (this.#target && !target) this.#settle();
    this.#target = target;
  }

  /** The planned way to the target; null: there is none. */
  set way(way: Way | null) {
    this.#way = way;
    this.#alongM = null;
  }

  /** Puts the car somewhere else. */
  placeAt(at: LatLng): void {
    this.#at = at;
    this.#alongM = null;
    this.#settle();
  }

  get position(): SimulatedPosition {
    return { ...this.#at, headingDeg: this.#headingDeg, speedMps: 0 };
  }

  /** Lets time pass at a pace: at pace 10 the car drives ten times as far. Strolls stay as slow as ever. */
  advance(seconds: number, pace: number): SimulatedPosition {
    if (seconds <= 0) return this.position;
    const before = this.#at;
    if (this.#target) this.#driveAlong(this.#target, seconds * cruisingMps * pace);
    else this.#idle(seconds);
    return { ...this.#at, headingDeg: this.#headingDeg, speedMps: distanceBetween(before, this.#at) / seconds };
  }

  #settle(): void {
    this.#home = this.#at;
    this.#stroll = null;
    this.#restS = restS.least;
  }

  #idle(seconds: number): void {
    if (this.#stroll) {
      if (this.#drive(this.#stroll, seconds * cruisingMps)) {
        this.#stroll = null;
        this.#restS = restS.least + this.#random() * (restS.most - restS.least);
      }
      return;
    }
    this.#restS -= seconds;
    if (this.#restS <= 0) this.#stroll = offsetBy(this.#home, this.#random() * strollM, this.#random() * 360);
  }

  /** Drives some metres along the way, and from its end to the target. */
  #driveAlong(target: LatLng, metres: number): void {
    const way = this.#way;
    if (way && this.#alongM === null) {
      const on = placeOn(way, this.#at);
      const join = pointAt(way, on.alongM);
      const far = distanceBetween(this.#at, join);
      if (far > joinM && !this.#drive(join, metres)) return;
      if (far > joinM) metres -= far;
      this.#alongM = on.alongM;
    }
    if (!way || this.#alongM === null || this.#alongM >= way.lengthM) {
      this.#drive(target, metres);
      return;
    }
    const wanted = this.#alongM + Math.max(0, metres);
    this.#alongM = Math.min(wanted, way.lengthM);
    this.#at = pointAt(way, this.#alongM);
    this.#headingDeg = bearingAt(way, this.#alongM);
    if (wanted > way.lengthM) this.#drive(target, wanted - way.lengthM);
  }

  /** Drives some metres towards a point; true when it is there. */
  #drive(to: LatLng, metres: number): boolean {
    const far = distanceBetween(this.#at, to);
    if (far <= thereM) return true;
    this.#headingDeg = bearingBetween(this.#at, to);
    this.#at = between(this.#at, to, Math.min(1, metres / far));
    return metres >= far;
  }
}
