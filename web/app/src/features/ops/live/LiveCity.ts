import type { Client, ConnectionState, Sample, WatchCity } from '@hexhail/client';

import { connect } from '../../../lib/connect';
import { CityStore } from './store';

/** What a page wants to be told. */
export type Need = Pick<WatchCity, 'drivers' | 'trips' | 'cells' | 'actors' | 'samples'>;

/** How what is shown relates to what is. The same object until it changes. */
export interface Feed {
  readonly connection: ConnectionState;
  /** Whether anything was told of what is wanted now. */
  readonly told: boolean;
  /** The H3 resolution of the cells. */
  readonly resolution: number;
  /** When the server's node started: its counters begin there. Null until told. */
  readonly startedAt: string | null;
}

const parts = ['drivers', 'trips', 'cells', 'actors', 'samples'] as const;

/**
 * The console's session: its own connection, and one watch of what the pages that are open want. Made by the console's
 * layout, so that it lasts from page to page and ends with the console.
 */
export class LiveCity {
  readonly store = new CityStore();
  readonly #client: Client;
  readonly #needs = new Set<Need>();
  readonly #listeners = new Set<() => void>();
  readonly #sampleListeners = new Set<(sample: Sample) => void>();
  #feed: Feed = { connection: { status: 'idle' }, told: false, resolution: 8, startedAt: null };
  #watched = '';

  constructor() {
    this.#client = connect({ name: 'hexhail-console' });
    this.#client.on('state', (connection) => this.#set({ connection }));
    this.#client.on('cityWatched', ({ resolution, node_started_at }) => this.#set({ resolution, startedAt: node_started_at ?? null }));
    this.#client.on('city', (change) => {
      this.store.take(change);
      for (const sample of change.samples) for (const listener of [...this.#sampleListeners]) listener(sample);
      if (!this.#feed.told) this.#set({ told: true });
    });
  }

  start(): void {
    this.#client.start();
  }

  stop(): void {
    this.#client.stop({ forget: true });
    this.#watched = '';
  }

  readonly connectNow = (): void => this.#client.connectNow();

  get feed(): Feed {
    return this.#feed;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  /** Calls `listener` for each point of the charts that is completed, while `samples` are needed. */
  onSample(listener: (sample: Sample) => void): () => void {
    this.#sampleListeners.add(listener);
    return () => void this.#sampleListeners.delete(listener);
  }

  /** Watches this, too, until the returned function is called. */
  need(need: Need): () => void {
    this.#needs.add(need);
    this.#follow();
    return () => {
      this.#needs.delete(need);
      this.#follow();
    };
  }

  #follow(): void {
    // From page to page one need goes before the next one comes: that is one watch, not two.
    queueMicrotask(() => {
      const wanted: Record<string, boolean> = {};
      for (const part of parts) if ([...this.#needs].some((need) => need[part])) wanted[part] = true;
      const watched = Object.keys(wanted).join();
      if (watched === this.#watched) return;
      this.#watched = watched;
      // What goes wrong with the connection shows as its state; the watch begins with the next one.
      const quietly = () => undefined;
      if (watched === '') {
        this.#client.unwatchCity().catch(quietly);
        return;
      }
      this.#set({ told: false });
      this.#client.watchCity(wanted).catch(quietly);
    });
  }

  #set(feed: Partial<Feed>): void {
    this.#feed = { ...this.#feed, ...feed };
    for (const listener of [...this.#listeners]) listener();
  }
}
