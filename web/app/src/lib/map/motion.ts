import { Glide, type Pose } from './glide';
import type { PositionSource } from './positions';
import type { Way } from './way';

/**
 * A car as it is drawn, frame by frame, between the positions of its source. The marker, the line that fades behind it
 * and the camera that goes with it all draw the same pose. Nothing runs while there is no listener or the car stands.
 */
export class Motion {
  readonly #source: PositionSource;
  readonly #glide = new Glide();
  readonly #listeners = new Set<(pose: Pose | null) => void>();
  #still: boolean;
  #frame = 0;
  #end: (() => void) | null = null;

  /** `still`: people who want less movement see the car jump from place to place. */
  constructor(source: PositionSource, still: boolean) {
    this.#source = source;
    this.#still = still;
  }

  /** Where the car is drawn now; null while its place is unknown. */
  get pose(): Pose | null {
    return this.#source.get() ? this.#glide.at(performance.now()) : null;
  }

  /** The way that the car is on. */
  take(way: Way | null): void {
    this.#glide.take(way, performance.now());
    this.#soon();
  }

  /** Calls `listener` at once, and in each frame while the car moves. Returns an end to it. */
  subscribe(listener: (pose: Pose | null) => void): () => void {
    this.#listeners.add(listener);
    if (!this.#end) {
      this.#end = this.#source.subscribe(this.#hear);
      this.#hear();
    }
    listener(this.pose);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#end?.();
      this.#end = null;
      cancelAnimationFrame(this.#frame);
      this.#frame = 0;
    };
  }

  readonly #hear = (): void => {
    const position = this.#source.get();
    if (position) this.#glide.push(position, performance.now(), this.#still);
    this.#soon();
  };

  readonly #draw = (now: number): void => {
    this.#frame = 0;
    const { pose } = this;
    for (const listener of [...this.#listeners]) listener(pose);
    if (pose && !this.#glide.done(now)) this.#soon();
  };

  #soon(): void {
    if (this.#end && this.#frame === 0) this.#frame = requestAnimationFrame(this.#draw);
  }
}
