import type { Trip } from '@hexhail/client';

import type { Place } from '../../lib/geocode';

export type End = 'pickup' | 'dropoff';

/** How long an address may be. */
export const addressBytes = 200;

/** A ride that is being planned. */
export interface Draft {
  readonly pickup?: Place;
  readonly dropoff?: Place;
  /** Empty: whatever comes first. */
  readonly vehicleClass: string;
  readonly passengers: number;
  readonly note: string;
}

export const emptyDraft: Draft = { vehicleClass: '', passengers: 1, note: '' };

/** A plan with both ends. */
export type WholeDraft = Draft & Required<Pick<Draft, 'pickup' | 'dropoff'>>;

export const isWhole = (draft: Draft): draft is WholeDraft => draft.pickup !== undefined && draft.dropoff !== undefined;

export function swapped(draft: Draft): Draft {
  const { pickup, dropoff, ...rest } = draft;
  return { ...rest, ...(dropoff ? { pickup: dropoff } : {}), ...(pickup ? { dropoff: pickup } : {}) };
}

/** The end that is missing first; null when the plan is whole. */
export function missingEnd(draft: Draft): End | null {
  if (!draft.pickup) return 'pickup';
  return draft.dropoff ? null : 'dropoff';
}

/** The plan that a trip came of, to ask for the same again. */
export function draftOf(trip: Trip): Draft {
  return {
    ...(trip.pickup ? { pickup: { point: trip.pickup, address: trip.pickup_address } } : {}),
    ...(trip.dropoff ? { dropoff: { point: trip.dropoff, address: trip.dropoff_address } } : {}),
    vehicleClass: trip.vehicle_class,
    passengers: trip.passengers,
    note: trip.note,
  };
}

/** What `requestTrip` is given for a plan. */
export function requestOf(draft: WholeDraft, vehicleClass: string) {
  return {
    pickup: draft.pickup.point,
    dropoff: draft.dropoff.point,
    pickup_address: draft.pickup.address,
    dropoff_address: draft.dropoff.address,
    vehicle_class: vehicleClass,
    passengers: draft.passengers,
    note: draft.note.trim(),
  };
}
