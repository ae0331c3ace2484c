import type { ClientEvents } from '../events.js';
import type { Offer, Role, Trip } from '../gen/messages.js';
import type { View } from '../view.js';

/** A view, and what it takes to keep it right. Immutable, as views are. */
export interface Knowledge {
  readonly view: View;
  readonly accountId: string;
  readonly role: Role;
  /** The last event that was dealt with; absent before the first connect and after a gap. */
  readonly history?: { readonly epoch: string; readonly seq: number };
  /** Events up to this number are replayed: they are older than the snapshot. */
  readonly replayUntil: number;
  /** The newest version that is known of each trip, the newest trips last. */
  readonly versions: ReadonlyMap<string, number>;
  /** A trip that the snapshot no longer shows, until a replayed event says what became of it. */
  readonly lostTrip?: Trip;
  /** Offers that cannot be answered any more, until the server says how they ended. */
  readonly endingOffers: ReadonlyMap<string, Offer>;
}

/** One call of a listener. */
export type Change = { [K in keyof ClientEvents]: { readonly name: K; readonly event: ClientEvents[K] } }[keyof ClientEvents];

/** The knowledge after a message, and what that message changed. */
export interface Step {
  readonly knowledge: Knowledge;
  readonly changes: readonly Change[];
  /** True if an event is missing: the client must reconnect without resuming. */
  readonly gap?: boolean;
}

export const emptyView: View = { online: false, openOffers: [], closedOffers: [] };

/** What a client knows that has never been connected. */
export const ignorance: Knowledge = {
  view: emptyView,
  accountId: '',
  role: 'role_unspecified',
  replayUntil: 0,
  versions: new Map(),
  endingOffers: new Map(),
};

export const unchanged = (knowledge: Knowledge): Step => ({ knowledge, changes: [] });

/** Does one step after another. */
export function inTurn(knowledge: Knowledge, ...steps: readonly ((knowledge: Knowledge) => Step)[]): Step {
  let result = unchanged(knowledge);
  for (const step of steps) {
    const { knowledge: after, changes } = step(result.knowledge);
    result = { knowledge: after, changes: [...result.changes, ...changes] };
  }
  return result;
}

export const withView = (knowledge: Knowledge, view: Partial<View>): Knowledge => ({
  ...knowledge,
  view: { ...knowledge.view, ...view },
});

/** A copy of `object` without `key`. */
export function without<T extends object, K extends keyof T>(object: T, key: K): Omit<T, K> {
  const copy: T & { [P in K]?: T[P] } = { ...object };
  Reflect.deleteProperty(copy, key);
  return copy;
}

/** A copy of `map` with one more entry, as its newest, and without the oldest ones beyond `most`. */
export function remember<K, V>(map: ReadonlyMap<K, V>, key: K, value: V, most: number): ReadonlyMap<K, V> {
  const copy = new Map(map);
  copy.delete(key);
  copy.set(key, value);
  for (const oldest of copy.keys()) {
    if (copy.size <= most) break;
    copy.delete(oldest);
  }
  return copy;
}
