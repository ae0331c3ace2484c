import type { Point } from '@hexhail/client';
import type { TFunction } from 'i18next';

import type { NameWords } from '../geocode';

// How trips are put into words, for riders and drivers alike.

type T = TFunction<'trips'>;

/** The party whom a text is for. */
export type Reader = 'rider' | 'driver';

/** The name of the other party of a trip; people who erased their account have none any more. */
export function partyName(t: T, person: { readonly first_name: string }): string {
  return person.first_name.trim() === '' ? t('detail.erased') : person.first_name;
}

/** A place for people: its address, or where its pin is. */
export function placeText(t: T, point: Point | undefined, address = ''): string {
  if (address.trim() !== '') return address;
  if (!point) return t('place.unknown');
  // Not `lng`, which is i18next's own word for the language.
  return t('place.pin', { lat: point.lat.toFixed(4), lon: point.lng.toFixed(4) });
}

/** How the parts of a place's name are put together. */
export const nameWords = (t: T): NameWords => ({
  house: (street, number) => t('place.house', { street, number }),
  near: (street, cross) => t('place.near', { street, cross }),
});

/** How far a search in this ring of cells reaches around the pickup, in metres; 0 where the server does not say. */
export function reachOf(ring: number, cellRingM = 0): number {
  return (ring + 0.5) * cellRingM;
}

const systemReasons = ['driver_no_show', 'rider_no_show'] as const;

/** Why a trip ended early, for people: a word of the system translated, a person's own words as they are. */
export function reasonText(t: T, by: string, reason: string): string {
  const known = by === 'system' ? systemReasons.find((r) => r === reason) : undefined;
  return known ? t(`reason.${known}`) : reason;
}
