import type { Position } from './api.js';
import type { ServerClock } from './clock.js';
import type { LocationReport } from './gen/messages.js';
import type { Clock } from './options.js';

/** Where locations go while connected. */
export interface LocationSink {
  send(location: LocationReport): void;
  /** How many bytes wait to leave this device already. */
  buffered(): number;
}

const mostBuffered = 64 * 1024;
/** How far the server's clock, as far as it is known, may fall behind the last time sent before that no longer counts. */
const toleranceMs = 1_000;

const within = (value: number | null | undefined, least: number, most: number): number =>
  typeof value === 'number' && Number.isFinite(value) ? Math.min(most, Math.max(least, value)) : 0;

/** When a position was taken, by this device's clock: not later than now, and now if it is unknown. */
export const takenBy = (now: number, takenAt: number | undefined): number =>
  takenAt !== undefined && takenAt <= now ? takenAt : now;

/** Turns a position into what the protocol wants, in the server's time. */
export function locationOf(position: Position, takenAt: number): LocationReport {
  const heading = position.heading_deg;
  return {
    point: { lat: position.lat, lng: position.lng },
    heading_deg: typeof heading === 'number' && Number.isFinite(heading) ? ((heading % 360) + 360) % 360 : 0,
    speed_mps: within(position.speed_mps, 0, 100),
    accuracy_m: within(position.accuracy_m, 0, 100_000),
    device_time: new Date(takenAt).toISOString(),
  };
}

/** Sends the latest position, and not too often. What waits is replaced by what is newer. */
export class LocationSender {
  readonly #clock: Clock;
  readonly #serverClock: ServerClock;
  readonly #intervalMs: number;
  #sink: LocationSink | undefined;
  #ttlMs = 0;
  #latest: { readonly position: Position; readonly takenAt: number } | undefined;
  #nextAt = 0;
  #lastTakenAt = 0;
  #stopTimer: (() => void) | undefined;

  constructor(clock: Clock, serverClock: ServerClock, intervalMs: number) {
    this.#clock = clock;
    this.#serverClock = serverClock;
    this.#intervalMs = intervalMs;
  }

  set(position: Position): void {
    const now = this.#clock.now();
    this.#latest = { position, takenAt: takenBy(now, position.takenAt) };
    this.#flush();
  }

  /** `ttlMs`: how long a position counts; an older one is not sent any more. */
  connected(sink: LocationSink, ttlMs: number): void {
    this.#sink = sink;
    this.#ttlMs = ttlMs;
    this.#flush();
  }

  disconnected(): void {
    this.#sink = undefined;
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }

  forget(): void {
    this.#latest = undefined;
  }

  #flush(): void {
    if (!this.#sink || !this.#latest || this.#stopTimer) return;
    const now = this.#clock.now();
    const wait = this.#nextAt - now;
    if (wait > 0 && wait <= this.#intervalMs) {
      this.#later(wait);
      return;
    }
    if (this.#sink.buffered() > mostBuffered) {
      this.#later(this.#intervalMs);
      return;
    }
    const { position } = this.#latest;
    const takenAt = takenBy(now, this.#latest.takenAt); // again, for the clock may have been set back while it waited
    this.#latest = undefined;
    if (now - takenAt > this.#ttlMs) return;
    // The server wants these times to rise, also when its clock turns out to be a little behind. A time that lies
    // in the future by now was wrong, or the clock was: it must not hold back what is right.
    if (this.#lastTakenAt > this.#serverClock.now() + toleranceMs) this.#lastTakenAt = 0;
    this.#lastTakenAt = Math.max(this.#serverClock.fromDevice(takenAt), this.#lastTakenAt + 1);
    this.#nextAt = now + this.#intervalMs;
    this.#sink.send(locationOf(position, this.#lastTakenAt));
  }

  #later(ms: number): void {
    this.#stopTimer = this.#clock.after(ms, () => {
      this.#stopTimer = undefined;
      this.#flush();
    });
  }
}
