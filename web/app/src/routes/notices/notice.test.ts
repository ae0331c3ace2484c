import type { ClosedOffer, OpenOffer, Trip } from '@hexhail/client';
import { describe, expect, it } from 'vitest';

import en from '../../locales/en/shell.json';
import { ofClosedOffer, ofOffer, ofTrip, ofTripGone, type Notice } from './notice';

const trip = (more: Partial<Trip> = {}) => ({ id: 't', pickup_eta_s: 120, ...more }) as Trip;
const driver = { first_name: 'Bo', plate: 'HX 1' } as Trip['driver'];
const closed = (outcome: ClosedOffer['outcome'], reason = '') => ({ offer_id: 'o', trip_id: 't', outcome, reason }) as ClosedOffer;

describe('notices', () => {
  it.each([
    ['matched', 'matched'], ['arrived', 'arrived'], ['started', 'started'], ['expired', 'expired'], ['released', 'searchingAgain'],
    ['wave_planned', undefined], ['rated', undefined], ['something_new', undefined],
  ])('tell a rider of %s', (change, text) => {
    expect(ofTrip(trip({ driver }), change, 'rider')?.text).toBe(text);
  });

  it('say why a trip has another driver', () => {
    expect(ofTrip(trip({ driver }), 'exchanged', 'rider', { reason: 'closer_car', sooner_s: 60 })).toMatchObject({ text: 'closerCar', values: { name: 'Bo' } });
    expect(ofTrip(trip({ driver }), 'exchanged', 'rider', { reason: 'shorter_waits', sooner_s: 0 })?.text).toBe('otherCar');
    expect(ofTrip(trip(), 'exchanged', 'driver')?.text).toBe('youHaveTrip');
    expect(ofTripGone(trip(), 'released', { reason: 'closer_car', sooner_s: 0 })).toMatchObject({ text: 'tripToCloser', loud: true });
    expect(ofTripGone(trip(), 'released', { reason: 'shorter_waits', sooner_s: 0 })).toMatchObject({ text: 'tripToOther', loud: true });
    expect(ofTripGone(trip(), 'released').text).toBe('tripLost');
  });

  it('tell a rider what the ride cost', () => {
    const fare = { total: { minor: 944, currency: 'USD' } } as Trip['fare'];
    expect(ofTrip(trip({ fare }), 'completed', 'rider')).toMatchObject({ text: 'completedFare', values: { fare: '$9.44' } });
    expect(ofTrip(trip(), 'completed', 'rider')?.text).toBe('completed');
  });

  it('are not given to those who did it themselves', () => {
    const by = (who: 'rider' | 'driver' | 'operator') => trip({ cancellation: { by: who, reason: '' } });
    expect(ofTrip(by('rider'), 'cancelled', 'rider')).toBeNull();
    expect(ofTrip(by('rider'), 'cancelled', 'driver')?.text).toBe('cancelledByRider');
    expect(ofTrip(by('driver'), 'cancelled', 'rider')?.text).toBe('cancelledByDriver');
    expect(ofTrip(by('operator'), 'cancelled', 'rider')?.text).toBe('cancelled');
    expect(ofClosedOffer(closed('declined'))).toBeNull();
    expect(ofClosedOffer(closed('won'))).toBeNull();
  });

  it('tell a driver of offers and what became of them', () => {
    const offer = { id: 'o', fare: { minor: 500, currency: 'USD' }, pickup_distance_m: 480, pickup_eta_s: 60 } as OpenOffer;
    expect(ofOffer(offer)).toMatchObject({ text: 'offer', loud: true, values: { fare: '$5.00', away: '480 m' } });
    expect(ofClosedOffer(closed('withdrawn', 'taken'))?.text).toBe('offerTaken');
    expect(ofClosedOffer(closed('withdrawn', 'trip_cancelled'))?.text).toBe('offerWithdrawn');
    expect(ofClosedOffer(closed('expired'))?.text).toBe('offerExpired');
    expect(ofTripGone(trip(), 'unknown').loud).toBe(true);
  });

  it('in texts that have all their values', () => {
    const notices: (Notice | null)[] = [
      ofTrip(trip({ driver }), 'matched', 'rider'), ofTrip(trip({ driver }), 'arrived', 'rider'),
      ofTrip(trip({ rider: { first_name: 'Ada' } as Trip['rider'] }), 'matched', 'driver'),
      ofOffer({ id: 'o', fare: { minor: 1, currency: 'USD' }, pickup_distance_m: 1, pickup_eta_s: 1 } as OpenOffer),
    ];
    for (const notice of notices) {
      if (!notice) throw new Error('there is no notice');
      const names = [...en.notice[notice.text].matchAll(/{{(\w+)}}/g)].map((m) => m[1]);
      expect(Object.keys(notice.values)).toEqual(expect.arrayContaining(names));
    }
  });
});
