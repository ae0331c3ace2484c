import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { cleanup, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import en from '../../locales/en/ops.json';
import ko from '../../locales/ko/ops.json';
import shell from '../../locales/en/shell.json';
import { http } from '../../api/auth';
import { LiveCityContext } from './live/hooks';
import { LiveCity } from './live/LiveCity';
import { DriverRow, TripRow } from './MapList';
import { makeSilent } from './painter/MapPainter';
import { MapPanel } from './MapPanel';
import { startView } from './mapView';
import { Fare } from './table/TripParts';
import type { TripRow as Trip } from './live/follow';

const london = { west: -0.2, south: 51.4, east: 0, north: 51.6 };

beforeAll(async () => {
  await i18next.use(initReactI18next).init({ lng: 'en', resources: { en: { ops: en, shell } }, defaultNS: 'shell', interpolation: { escapeValue: false } });
  // What jsdom lacks.
  window.matchMedia = (query) => ({ matches: false, media: query, addEventListener: () => undefined, removeEventListener: () => undefined, onchange: null, dispatchEvent: () => false }) as unknown as MediaQueryList;
  globalThis.ResizeObserver = class { observe() { /* sizes do not change here */ } unobserve() { /* likewise */ } disconnect() { /* likewise */ } };
});
afterEach(() => cleanup());

const get = vi.spyOn(http, 'GET');
beforeEach(() => {
  get.mockReset();
  get.mockImplementation(((_: string, { params }: { params: { query: { id: string[] } } }) => Promise.resolve({
    data: {
      items: params.query.id.filter((id) => id !== 'gone').map((id) => ({ account: { id, first_name: id, last_name: 'Kim', username: id, vehicle: { plate: `HX ${id}`, class: 'standard' } } })),
      next_cursor: '',
    },
    response: new Response(null, { status: 200, headers: { 'Content-Type': 'application/json' } }),
  })) as never);
});

function city(drivers: readonly string[] = ['Ana', 'Bo', 'gone']) {
  const live = new LiveCity();
  drivers.forEach((id, key) => live.store.city.drivers.put({ key, id, state: 'available', vehicle_class: 'standard', trip_id: '', heading_deg: 0, point: { lat: 40.7, lng: -74 } } as never, 0));
  vi.spyOn(live, 'feed', 'get').mockReturnValue({ ...live.feed, heard: true });
  return live;
}

function show(live: LiveCity, node: React.ReactNode) {
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={new QueryClient()}><LiveCityContext value={live}>{node}</LiveCityContext></QueryClientProvider>
    </MantineProvider>,
  );
  return userEvent.setup();
}

describe('the lists beside the map', () => {
  it('have names and plates, asked for together, and the end of an id only where there is no account', async () => {
    const live = city();
    live.store.city.trips.set('t1', { id: 't1', version: 2, status: 'matched', rider_id: 'Rui', driver_id: 'Bo' } as never);
    show(live, <><div><DriverRow id="Ana" /></div><div><DriverRow id="gone" /></div><div><TripRow id="t1" /></div></>);
    expect(await screen.findByText('Ana Kim')).toBeInTheDocument();
    expect(screen.getByText('HX Ana')).toBeInTheDocument();
    expect(screen.getByText('…gone')).toBeInTheDocument();
    expect(screen.getByText(/Rui Kim/)).toHaveTextContent('Rui Kim → Bo Kim');
    expect(get).toHaveBeenCalledTimes(1);
  });

  it('say that drivers are online elsewhere, and lead to them', async () => {
    const all = vi.fn();
    const panel = (live: LiveCity) => show(live, <MapPanel view={startView} bounds={london} selected={null} follow={false} onFollow={vi.fn()} onSelect={vi.fn()} onShowAll={all} onClose={vi.fn()} />);
    const user = panel(city());
    expect(screen.getByText(/^3 drivers are online, but outside/)).toBeInTheDocument();
    await user.click(screen.getByRole('button', { name: 'Show all drivers' }));
    expect(all).toHaveBeenCalledOnce();
    cleanup();
    panel(city([]));
    expect(screen.getByText('No drivers are online.')).toBeInTheDocument();
  });
});

describe('a canvas that only draws', () => {
  it('is neither read aloud nor in the tab order', () => {
    document.body.innerHTML = '<div class="maplibregl-map" tabindex="0"><div tabindex="0"><canvas tabindex="0"></canvas></div></div>';
    const canvas = document.querySelector('canvas');
    makeSilent(canvas);
    expect(canvas).toHaveAttribute('aria-hidden', 'true');
    expect([...document.querySelectorAll('[tabindex]')].map((e) => (e as HTMLElement).tabIndex)).toEqual([0, -1, -1]);
    makeSilent(null);
  });
});

describe('the fare in a list', () => {
  const money = { currency: 'USD', minor: 500 };
  const trip = (more: object) => ({ id: 'x', status: 'completed', ...more }) as unknown as Trip;
  it.each([
    ['in_progress', { estimate: { fare: money } }, '≈ $5.00'],
    ['completed', { fare: { total: money }, estimate: { fare: money } }, '$5.00'],
    ['cancelled', { estimate: { fare: money } }, '–'],
    ['expired', { estimate: { fare: money } }, '–'],
  ])('of a trip that is %s', (status, more, text) => {
    show(city(), <p data-testid="fare"><Fare trip={trip({ status, ...more })} /></p>);
    expect(screen.getByTestId('fare')).toHaveTextContent(new RegExp(`^${text.replace('$', '\\$')}$`));
  });
});

describe('the console’s words', () => {
  const leaves = (o: object): string[] => Object.values(o).flatMap((v) => (typeof v === 'string' ? [v] : leaves(v as object)));
  it('call the time from request to match what it is', () => {
    expect(en.map.totals.wait).toBe('Mean time to match');
    expect(leaves(en).filter((text) => /mean wait/i.test(text))).toEqual([]);
    expect(leaves(ko).filter((text) => text.includes('평균 대기'))).toEqual([]);
  });

  it('are those of today', () => {
    expect(leaves(en).filter((text) => /\b(nobody|anew|whoever|crow flies|sign(s|ed)?[ -]in|(was|were) asked)\b/i.test(text))).toEqual([]);
    expect(leaves(ko).filter((text) => /픽업|절반이 이내|10건 중 9건|메일함|반납|차량 등급|사용자 검색|하세요(?!\w)/.test(text))).toEqual([]);
  });
});
