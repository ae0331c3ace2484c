import type { ConnectionState, Trip, View, WholeTrip } from '@hexhail/client';

// What tests of the rider's screen and of trips begin with.

export const now = Date.parse('2026-11-22T15:30:00Z');
export const connected: ConnectionState = { status: 'connected', accountId: 'ada', role: 'rider', sessionId: 's', resumed: true };
export const nothing: View = { online: false, openOffers: [], closedOffers: [] };

export function trip(change: Partial<Trip> = {}): WholeTrip {
  return {
    id: 't1', version: 2, status: 'requested',
    pickup: { lat: 37.4979, lng: 127.0276 }, dropoff: { lat: 37.5172, lng: 127.0473 },
    pickup_address: '', dropoff_address: 'Cheongdam Park', vehicle_class: 'standard', passengers: 1, note: '',
    estimate: { distance_m: 3590, duration_s: 513, fare: { minor: 944, currency: 'USD' }, by: 'streets' },
    pin: '', pickup_eta_s: 0, requested_at: '2026-11-22T15:29:30Z', stars_by_rider: 0, stars_by_driver: 0,
    ...change,
  };
}
