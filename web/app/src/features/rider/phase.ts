import type { ConnectionState, PendingRequest, Trip, View, WholeTrip } from '@hexhail/client';

import { hasEnded, ofNewerServer } from '../../lib/trip/status';
import type { Remembered } from './memory';

/** What the rider's screen shows. */
export type Phase =
  /** Not known yet whether there is a trip. */
  | { readonly name: 'loading' }
  | { readonly name: 'planning' }
  /** A request is under way to the server. */
  | { readonly name: 'asking' }
  /** `again`: a driver had the trip, and gave it back. */
  | { readonly name: 'searching'; readonly trip: WholeTrip; readonly again: boolean }
  | { readonly name: 'coming' | 'arrived' | 'riding'; readonly trip: WholeTrip }
  | { readonly name: 'ended'; readonly trip: Trip };

export interface Known {
  readonly view: View;
  readonly connection: ConnectionState;
  readonly pending: readonly PendingRequest[];
  /** The rider's newest trip over HTTP; `undefined` while the request runs, `null` for none or no answer. */
  readonly latest: Trip | null | undefined;
  readonly remembered: Remembered;
  /** The server's time in milliseconds. */
  readonly now: number;
}

/** What the sheet shows, as one text: with each new one it takes its own size again. `chosen`: both ends of the plan are. */
export function sheetKey(phase: Phase, chosen: boolean): string {
  if ('trip' in phase) return `${phase.trip.id} ${phase.name}`;
  return phase.name === 'planning' && chosen ? 'quotes' : phase.name;
}

/** After a reload, the end of a trip is still shown for so long. */
const endShownMs = 30 * 60_000;

/** Chooses what to show. The server's state goes first, so that a reload leads to the same screen. */
export function choosePhase(k: Known): Phase {
  const trip = k.view.activeTrip;
  if (trip) return ofTrip(trip, k.remembered);
  if (k.pending.some((r) => r.kind === 'request_trip')) return { name: 'asking' };
  if (isFirstAttempt(k.connection)) return { name: 'loading' };
  const ended = lastEnd(k);
  if (ended) return { name: 'ended', trip: ended };
  return k.latest === undefined && k.connection.status === 'connected' ? { name: 'loading' } : { name: 'planning' };
}

function ofTrip(trip: WholeTrip, remembered: Remembered): Phase {
  const searching: Phase = { name: 'searching', trip, again: remembered.driverOf === trip.id };
  switch (trip.status) {
    case 'matched':
      return { name: 'coming', trip };
    case 'arrived':
      return { name: 'arrived', trip };
    case 'in_progress':
      return { name: 'riding', trip };
    case 'requested':
    case 'completed':
    case 'cancelled':
    case 'expired':
    case 'status_unspecified':
      return searching;
    default:
      return ofNewerServer(trip.status, searching);
  }
}

// Later attempts do not keep the rider from planning.
function isFirstAttempt(connection: ConnectionState): boolean {
  return connection.status === 'idle' || (connection.status === 'connecting' && connection.attempt === 0);
}

function lastEnd({ view, latest, remembered, now }: Known): Trip | undefined {
  const ends = [view.lastEnded, latest && isRecent(latest, now) ? latest : undefined]
    .filter((t): t is Trip => t !== undefined && hasEnded(t))
    .sort((a, b) => endTime(b) - endTime(a) || b.version - a.version);
  const newest = ends[0];
  return newest && newest.id !== remembered.dismissed ? newest : undefined;
}

const endTime = (trip: Trip): number => Date.parse(trip.ended_at ?? '') || 0;
const isRecent = (trip: Trip, now: number): boolean => now - endTime(trip) < endShownMs;
