import type { CityChanged, CityWatched, WatchCity } from './gen/messages.js';

/**
 * What an operator watches. The server forgets a watch with its session, so what was wished for is kept here, to be asked
 * for again after every connect.
 */
export class CityWatch {
  /** What is to be watched; undefined: nothing. */
  wanted: WatchCity | undefined;
  #number: number | undefined;

  /** The server has begun a watch. What came of those before counts no more. */
  began({ watch }: CityWatched): void {
    this.#number = watch;
  }

  /** Nothing that comes counts, until a watch begins. */
  ended(): void {
    this.#number = undefined;
  }

  /** Whether a change is of the watch that counts. */
  concerns({ watch }: CityChanged): boolean {
    return this.wanted !== undefined && watch === this.#number;
  }
}
