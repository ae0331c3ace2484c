import type { Client, ConnectionState, Sample, WatchCity } from '@hexhail/client';

import { connect } from '../../../lib/connect';
import type { Nodes } from './nodes';
import { CityStore } from './store';

/** The parts of the city that a page needs. */
export type Need = Pick<WatchCity, 'drivers' | 'trips' | 'cells' | 'actors' | 'samples'>;

/** How what is shown relates to what is. The same object until it changes. */
export interface Feed {
  readonly connection: ConnectionState;
  /** Whether the current watch has sent anything yet. */
  readonly heard: boolean;
  /** The H3 resolution of the cells. */
  readonly resolution: number;
  /** When the server's node started: its counters begin there. Null until known. */
  readonly startedAt: string | null;
  /** The nodes of the cluster; empty when the server is alone. */
  readonly nodes: Nodes;
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
  #feed: Feed = { connection: { status: 'idle' }, heard: false, resolution: 8, startedAt: null, nodes: [] };
  #watched = '';

  constructor() {
    this.#client = connect({ name: 'hexhail-console' });
    this.#client.on('state', (connection) => this.#set({ connection }));
    this.#client.on('cityWatched', ({ resolution, node_started_at, nodes }) => {
      this.#set({ resolution, startedAt: node_started_at ?? null, nodes: nodes?.list ?? [] });
    });
    this.#client.on('city', (change) => {
      this.store.take(change);
      for (const sample of change.samples) for (const listener of [...this.#sampleListeners]) listener(sample);
      if (!this.#feed.heard) this.#set({ heard: true });
      if (change.nodes) this.#set({ nodes: change.nodes.list });
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
    // On the way from page to page one need ends before the next begins. That is one watch, not two.
    queueMicrotask(() => {
      const wanted: Record<string, boolean> = {};
      for (const part of parts) if ([...this.#needs].some((need) => need[part])) wanted[part] = true;
      const watched = Object.keys(wanted).join();
      if (watched === this.#watched) return;
      this.#watched = watched;
      // A failing connection shows as its state; the next one resumes the watch.
      const quietly = () => undefined;
      if (watched === '') {
        this.#client.unwatchCity().catch(quietly);
        return;
      }
      this.#set({ heard: false });
      this.#client.watchCity(wanted).catch(quietly);
    });
  }

  #set(feed: Partial<Feed>): void {
    this.#feed = { ...this.#feed, ...feed };
    for (const listener of [...this.#listeners]) listener();
  }
}
