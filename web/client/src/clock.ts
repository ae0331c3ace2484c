import type { Clock } from './options.js';

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    // Longer ones would run at once.
    const timer = setTimeout(run, Math.min(ms, 2 ** 31 - 1));
    return () => clearTimeout(timer);
  },
};

const staleAfter = 10 * 60_000;

/**
 * What the server's clock says, worked out from the times that it tells. A time was written somewhere between asking
 * and reading; the shorter that took, the better is the estimate.
 */
export class ServerClock {
  readonly #clock: Clock;
  #offset = 0;
  #roundTrip = Infinity;
  #at = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds since 1970 by the server's clock. */
  now(): number {
    return this.#clock.now() + this.#offset;
  }

  /** Puts a time of this device's clock right. */
  fromDevice(ms: number): number {
    return ms + this.#offset;
  }

  /** Takes the server's time from the answer to a message sent at `sentAt`. */
  sample(serverTime: string, sentAt: number): void {
    const now = this.#clock.now();
    const told = Date.parse(serverTime);
    const roundTrip = now - sentAt;
    if (Number.isNaN(told) || roundTrip < 0) return;
    const stale = now - this.#at > staleAfter || now < this.#at;
    const offset = told - (sentAt + now) / 2;
    // A device clock that was set shows as an offset that no round trip explains.
    const moved = Math.abs(offset - this.#offset) > (roundTrip + this.#roundTrip) / 2;
    if (roundTrip > this.#roundTrip && !stale && !moved) return;
    this.#offset = offset;
    this.#roundTrip = roundTrip;
    this.#at = now;
  }
}
