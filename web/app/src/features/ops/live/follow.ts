import type { CityTrip } from '@hexhail/client';

import type { Schemas } from '../../../api/http';
import { liveStatuses } from '../../../lib/trip/status';
import { boundsOf, statusesOf, type TripsSearch } from '../table/search';

type Trip = Schemas['Trip'];

/** A trip of a list, with what was pushed of it since it was read. The feed names people by ids alone. */
export interface TripRow extends Trip {
  /** Who has the trip, where that came after the row was read; `driver` is absent then. */
  readonly driver_id?: string;
}

/** The row as it is now: itself, unless the feed knows a newer version. */
export function followed(row: TripRow, now: CityTrip | undefined): TripRow {
  if (now === undefined) return row;
  const { id, version, status, search, driver_id, matched_at, arrived_at, started_at, ended_at } = now;
  if (version <= row.version) return row;
  const driver = row.driver?.id === driver_id ? row.driver : undefined;
  return {
    ...row, id, version, status, search, matched_at, arrived_at, started_at, ended_at,
    driver, driver_id: driver || driver_id === '' ? undefined : driver_id,
  };
}

/** Whether a trip belongs to a list with these filters; null where the feed cannot decide, as with a text filter. */
export function belongs(trip: CityTrip, search: TripsSearch, now: Date): boolean | null {
  if (search.q) return null;
  const statuses = search.status === 'live' ? liveStatuses : statusesOf(search.status);
  if (statuses.length > 0 && !statuses.some((s) => s === trip.status)) return false;
  if (search.account && search.account !== trip.rider_id && search.account !== trip.driver_id) return false;
  const { from, to } = boundsOf(search, now);
  const at = Date.parse(trip.requested_at ?? '');
  return !(from && at < Date.parse(from)) && !(to && at >= Date.parse(to));
}

/** The newest trips that a list lacks. Notifies its listeners when their number changes. */
export class Missing {
  readonly #ids = new Set<string>();
  readonly #listeners = new Set<() => void>();

  readonly size = (): number => this.#ids.size;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  /** Starts over: the list has just been read. */
  clear(): void {
    if (this.#ids.size === 0) return;
    this.#ids.clear();
    this.#tell();
  }

  /** Takes the trips of the city. Those that a list has on a later page are not missing. */
  take(trips: Iterable<CityTrip>, rows: readonly TripRow[], hasMore: boolean, search: TripsSearch, now = new Date()): void {
    const before = this.size();
    const shown = new Set(rows.map((row) => row.id));
    const oldest = hasMore ? Date.parse(rows.at(-1)?.requested_at ?? '') : -Infinity;
    for (const trip of trips) {
      if (!shown.has(trip.id) && belongs(trip, search, now) === true && Date.parse(trip.requested_at ?? '') > oldest) this.#ids.add(trip.id);
      else this.#ids.delete(trip.id);
    }
    // A trip that ended a while ago is in the feed no more, but is still missing, unless a page that was read since has it.
    for (const id of this.#ids) if (shown.has(id)) this.#ids.delete(id);
    if (this.size() !== before) this.#tell();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
