import { bearingBetween, between, distanceBetween, offsetBy, type LatLng } from '../../../lib/map/geo';

/** How fast a simulated car drives at pace 1, in metres per second: 30 km/h, a city's pace. */
export const cruisingMps = 30 / 3.6;
/** A car this near to its target is there, in metres. */
const thereM = 3;
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
 * A self-driving car, for trying Hexhail out. With a target it takes the straight line to it; without one it
 * stands, and now and then cruises around the place where it waits. Time comes from outside.
 */
export class SimulatedDrive {
  #at: LatLng;
  #headingDeg = 0;
  #target: LatLng | null = null;
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

  /** Puts the car somewhere else. */
  placeAt(at: LatLng): void {
    this.#at = at;
    this.#settle();
  }

  get position(): SimulatedPosition {
    return { ...this.#at, headingDeg: this.#headingDeg, speedMps: 0 };
  }

  /** Lets time pass at a pace: at pace 10 the car drives ten times as far. Strolls stay as slow as ever. */
  advance(seconds: number, pace: number): SimulatedPosition {
    if (seconds <= 0) return this.position;
    const before = this.#at;
    if (this.#target) this.#drive(this.#target, seconds * cruisingMps * pace);
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

  /** Drives some metres towards a point; true when it is there. */
  #drive(to: LatLng, metres: number): boolean {
    const far = distanceBetween(this.#at, to);
    if (far <= thereM) return true;
    this.#headingDeg = bearingBetween(this.#at, to);
    this.#at = between(this.#at, to, Math.min(1, metres / far));
    return metres >= far;
  }
}
