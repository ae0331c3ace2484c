import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { cleanup, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { afterEach, beforeAll, expect, it, vi } from 'vitest';

import en from '../../locales/en/rider.json';
import enTrips from '../../locales/en/trips.json';
import ko from '../../locales/ko/rider.json';
import koTrips from '../../locales/ko/trips.json';
import type { Place } from '../../lib/geocode';
import { PlaceSearch } from './PlaceSearch';

beforeAll(async () => {
  // jsdom has neither, and Mantine asks for both.
  vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => undefined, removeEventListener: () => undefined }));
  vi.stubGlobal('ResizeObserver', class { observe() { return; } unobserve() { return; } disconnect() { return; } });
  Element.prototype.scrollIntoView = () => undefined;
  await i18next.use(initReactI18next).init({
    lng: 'en', resources: { en: { rider: en, trips: enTrips }, ko: { rider: ko, trips: koTrips } }, interpolation: { escapeValue: false },
  });
});
afterEach(async () => {
  cleanup();
  await i18next.changeLanguage('en');
});

/** Shows the field over a server that answers every search alike. */
function show(answer: unknown) {
  const onFound = vi.fn<(place: Place) => void>();
  const asked = vi.fn<(url: string) => Promise<Response>>(() => Promise.resolve(new Response(JSON.stringify(answer))));
  vi.stubGlobal('fetch', asked);
  render(
    <QueryClientProvider client={new QueryClient()}>
      <MantineProvider env="test">
        <PlaceSearch geocoder="/v1/search" label="Pickup" icon={null} near={undefined} focused onType={() => undefined} onFound={onFound} />
      </MantineProvider>
    </QueryClientProvider>,
  );
  return { onFound, asked };
}

const credit = { attribution: '© OpenStreetMap contributors', attribution_url: 'https://www.openstreetmap.org/copyright' };
const feature = (properties: object) => ({ type: 'Feature', geometry: { type: 'Point', coordinates: [-73.98, 40.75] }, properties });

it('finds a crossing by the keyboard alone, and says whom to thank', async () => {
  const { onFound, asked } = show({ ...credit, features: [
    feature({ kind: 'crossing', name: '5th Avenue & West 34th Street', street: '5th Avenue', cross: 'West 34th Street' }),
    feature({ kind: 'address', housenumber: '350', street: '5th Avenue' }),
  ] });
  await userEvent.type(screen.getByRole('combobox'), '5 av & w 34');
  await screen.findByRole('option', { name: '5th Avenue & West 34th Street' });
  await screen.findByRole('option', { name: '350 5th Avenue' });
  expect(screen.getByRole('link', { name: credit.attribution }).getAttribute('href')).toBe(credit.attribution_url);
  expect(asked.mock.lastCall?.[0]).toContain('/v1/search?q=5+av+%26+w+34');
  await userEvent.keyboard('{Enter}');
  expect(onFound).toHaveBeenCalledWith({ point: { lat: 40.75, lng: -73.98 }, address: '5th Avenue & West 34th Street' });
});

it('leads the keyboard from the field to whom to thank, and back', async () => {
  show({ ...credit, features: [feature({ kind: 'street', name: '5th Avenue' })] });
  const field = screen.getByRole('combobox');
  await userEvent.type(field, '5th');
  await screen.findByRole('option', { name: '5th Avenue' });
  const link = screen.getByRole('link', { name: credit.attribution });
  await userEvent.tab();
  expect(document.activeElement).toBe(link);
  screen.getByRole('option', { name: '5th Avenue' }); // the list stays
  await userEvent.tab({ shift: true });
  expect(document.activeElement).toBe(field);
  screen.getByRole('option', { name: '5th Avenue' });
  await userEvent.tab();
  await userEvent.keyboard('{Escape}');
  expect(document.activeElement).toBe(field);
  expect(field.getAttribute('aria-expanded')).toBe('false');
});

it('offers both of two streets that do not cross', async () => {
  show({ ...credit, apart: ['5th Avenue', '6th Avenue'], features: [feature({ kind: 'street', name: '5th Avenue' }), feature({ kind: 'street', name: '6th Avenue' })] });
  await userEvent.type(screen.getByRole('combobox'), '5th & 6th');
  await screen.findByText('5th Avenue and 6th Avenue don’t cross. Choose one of them:');
  expect(screen.getAllByRole('option')).toHaveLength(2);
});

it('writes addresses as its language does', async () => {
  await i18next.changeLanguage('ko');
  const { asked } = show({ ...credit, features: [feature({ kind: 'address', housenumber: '152', street: '테헤란로' })] });
  await userEvent.type(screen.getByRole('combobox'), '테헤란로 152');
  await screen.findByRole('option', { name: '테헤란로 152' });
  expect(asked.mock.lastCall?.[0]).toContain('lang=ko');
});
