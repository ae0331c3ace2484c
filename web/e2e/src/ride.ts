import type { Locator } from 'playwright-core';

import { fillIn } from './dialog';
import type { Person } from './person';
import { anyOf } from './words';

/** Midtown: a pickup, the driver near it, and a dropoff. */
export const pickup = { latitude: 40.7527, longitude: -73.9772 };
export const driverAt = { latitude: 40.7545, longitude: -73.979 };
export const dropoff = { latitude: 40.7681, longitude: -73.9819 };

/** A place as the client library has it. */
export const pointOf = (place: { latitude: number; longitude: number }) => ({ lat: place.latitude, lng: place.longitude });

/** The question for an end of the ride: by a tap on the map, or where the server finds places also by their names. */
const asked = (p: Person, end: 'pickup' | 'dropoff') => p.heading(p.t(`rider:plan.tap.${end}`)).or(p.heading(p.t(`rider:plan.where.${end}`)));

/** Goes online where the browser says that the driver is. */
export async function goOnline({ page, t }: Person): Promise<void> {
  await page.getByRole('button', { name: t('driver:duty.goOnline') }).click();
  await page.getByRole('heading', { name: t('driver:duty.online') }).waitFor();
}

/** Chooses a place by its coordinates, as people do who cannot tap the map. */
export async function typePlace({ page, t }: Person, place: { latitude: number; longitude: number }): Promise<void> {
  await page.getByRole('button', { name: t('map:controls.type') }).click();
  const entry = page.getByRole('dialog');
  await fillIn([entry.getByLabel(t('map:entry.lat')), String(place.latitude)], [entry.getByLabel(t('map:entry.lng')), String(place.longitude)]);
  await entry.getByRole('button', { name: t('map:entry.use') }).click();
  await entry.waitFor({ state: 'hidden' }); // opened again before it has faded out, it would empty its fields
}

/**
 * Plans a ride. Where the browser says where the rider is the pickup is there by itself, and the dropoff is
 * typed; else both are.
 */
export async function plan(p: Person, to = dropoff): Promise<void> {
  if (p.located) {
    await asked(p, 'dropoff').waitFor();
    await typePlace(p, to); // a tap would depend on where the camera is just then
  } else {
    await asked(p, 'pickup').waitFor();
    await typePlace(p, pickup);
    await asked(p, 'dropoff').waitFor();
    await typePlace(p, to);
  }
  await askButton(p).waitFor();
}

/** The button that asks for a ride, with its class and price. */
export function askButton({ page, t }: Person): Locator {
  return page.getByRole('button', { name: anyOf(t, 'rider:quote.ask', 'class', 'fare') });
}

/** The first offer's card. */
export function offerCard({ page, t }: Person): Locator {
  return page.getByRole('article', { name: anyOf(t, 'driver:offers.card', 'fare', 'eta') });
}

export async function accept(p: Person): Promise<void> {
  await offerCard(p).first().getByRole('button', { name: p.t('driver:offers.accept') }).click();
  // A simulated drive on a busy machine may be at the pickup before anyone looks.
  await p.heading(p.t('driver:trip.title.matched')).or(p.heading(p.t('driver:trip.title.atPickup'))).waitFor();
}

/** Calls the search off. A rider who has waited for half a minute is asked whether they are sure. */
export async function callOff(p: Person): Promise<void> {
  await p.button(p.t('rider:cancel.search')).click();
  const sure = p.page.getByRole('dialog', { name: p.t('rider:cancel.title.search') });
  const cancelled = p.heading(p.t('rider:cancelled.title'));
  await sure.or(cancelled).first().waitFor();
  if (await sure.isVisible()) await sure.getByRole('button', { name: p.t('rider:cancel.search') }).click();
  await cancelled.waitFor();
}

/** The rider's PIN, as it is read aloud. */
export async function pinOf({ page, t }: Person): Promise<string> {
  const name = await page.getByRole('region', { name: t('rider:pin.label') }).getByRole('img').getAttribute('aria-label');
  return (name ?? '').replaceAll(' ', '');
}

export async function enterPin({ page, t }: Person, pin: string): Promise<void> {
  for (const [i, digit] of Array.from(pin).entries()) {
    await page.getByRole('textbox', { name: t('driver:pin.digitOf', { n: i + 1, of: 4 }) }).fill(digit);
  }
}
