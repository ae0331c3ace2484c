import { ProtocolError, type Client, type OpenOffer } from '@hexhail/client';
import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import texts from '../../../locales/en/driver.json';
import { createPositionStore } from '../../../lib/map/positions';
import { calmMs } from './OfferCard';
import { gatherMs, OfferCaller } from './OfferCaller';
import { OfferStack } from './OfferStack';
import { useDeck } from './useDeck';

const heard = vi.hoisted(() => vi.fn());
vi.mock('../../../lib/session', () => ({
  useSessionEvent: (_: string, listener: unknown) => { heard(listener); }, usePendingRequests: () => [],
}));

const start = Date.parse('2026-11-22T15:00:00Z');
const offer = (id: string, eta: number, more: Partial<OpenOffer> = {}): OpenOffer => ({
  id, trip_id: `trip-${id}`, pickup_area: { lat: 1, lng: 2 }, pickup_radius_m: 500, pickup_distance_m: 900, pickup_eta_s: eta,
  trip_distance_m: 4000, trip_duration_s: 600, fare: { minor: 1058, currency: 'USD' }, vehicle_class: 'standard', passengers: 1,
  expires_at: new Date(start + 15_000).toISOString(), wave: 1, rider_rating_x100: 0, ...more,
});

const acceptOffer = vi.fn<Client['acceptOffer']>();
const declineOffer = vi.fn<Client['declineOffer']>();
/** The server's clock is 7 seconds ahead of this device's. */
const session = { acceptOffer, declineOffer, serverNow: () => Date.now() + 7000 } as unknown as Client;

const positions = createPositionStore();
const queries = new QueryClient({ defaultOptions: { queries: { enabled: false } } });

function Stacked({ offers }: { offers: readonly OpenOffer[] }) {
  return <OfferStack session={session} deck={useDeck(offers)} positions={positions} />;
}

const page = (offers: readonly OpenOffer[]) => (
  <QueryClientProvider client={queries}>
    <MantineProvider><Stacked offers={offers} /><input aria-label="elsewhere" /></MantineProvider>
  </QueryClientProvider>
);
const show = (offers: readonly OpenOffer[]) => render(page(offers));

beforeAll(async () => {
  await i18next.use(initReactI18next).init({ lng: 'en', resources: { en: { driver: texts } }, interpolation: { escapeValue: false } });
  vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: vi.fn(), removeEventListener: vi.fn(), addListener: vi.fn(), removeListener: vi.fn() }));
});
beforeEach(() => {
  vi.useFakeTimers({ now: start - 7000 });
  acceptOffer.mockReset().mockReturnValue(new Promise(() => undefined));
  declineOffer.mockReset().mockResolvedValue(undefined);
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

describe('the stack of offers', () => {
  it("counts down by the server's clock", () => {
    show([offer('a', 60)]);
    expect(screen.getByTitle('Seconds left')).toHaveTextContent('15');
    act(() => void vi.advanceTimersByTime(11_000));
    expect(screen.getByTitle('Seconds left')).toHaveTextContent('4');
    act(() => void vi.advanceTimersByTime(60_000));
    expect(screen.getByTitle('Seconds left')).toHaveTextContent('0');
  });

  it.each([['a', 'KeyA'], ['ㅁ', 'KeyA'], ['Enter', 'Enter']])('accepts the nearest with %s, once', (key, code) => {
    show([offer('far', 300), offer('near', 60)]);
    fireEvent.keyDown(document.body, { key, code });
    fireEvent.keyDown(document.body, { key, code });
    expect(acceptOffer.mock.calls).toEqual([['near']]);
    expect(declineOffer).not.toHaveBeenCalled();
  });

  it.each([['d', 'KeyD'], ['Escape', 'Escape']])('declines the nearest with %s', async (key, code) => {
    show([offer('near', 60)]);
    await act(async () => {
      fireEvent.keyDown(document.body, { key, code });
      await Promise.resolve();
    });
    expect(declineOffer.mock.calls).toEqual([['near']]);
  });

  it('leaves keys to whom they are meant for', () => {
    show([offer('a', 60)]);
    fireEvent.keyDown(screen.getByLabelText('elsewhere'), { key: 'a', code: 'KeyA' });
    fireEvent.keyDown(screen.getByRole('button', { name: /Decline/ }), { key: 'Enter', code: 'Enter' });
    fireEvent.keyDown(document.body, { key: 'a', code: 'KeyA', ctrlKey: true });
    fireEvent.keyDown(document.body, { key: 'a', code: 'KeyA', repeat: true });
    expect(acceptOffer).not.toHaveBeenCalled();
  });

  it('says that an acceptance competes, and asks no more', () => {
    show([offer('a', 60, { award_at: new Date(start + 2000).toISOString() })]);
    expect(screen.getByText(/Waiting for confirmation/)).toBeInTheDocument();
    expect(screen.queryByRole('button', { name: /Accept/ })).toBeNull();
    fireEvent.keyDown(document.body, { key: 'a', code: 'KeyA' });
    expect(acceptOffer).not.toHaveBeenCalled();
  });

  it('says why an acceptance was refused', async () => {
    acceptOffer.mockRejectedValue(new ProtocolError({ code: 'offer_taken' }));
    show([offer('a', 60)]);
    await act(async () => {
      fireEvent.click(screen.getByRole('button', { name: /Accept/ }));
      await Promise.resolve();
    });
    expect(screen.getByRole('alert')).toHaveTextContent('Another driver was faster.');
  });

  it('shows one at a time, with the next peeking and the number of all', () => {
    show([offer('far', 300, { fare: { minor: 2000, currency: 'USD' } }), offer('near', 60), offer('mid', 120, { fare: { minor: 1500, currency: 'USD' } })]);
    expect(screen.getAllByRole('article')).toHaveLength(1);
    expect(screen.getByRole('article')).toHaveTextContent('$10.58');
    expect(screen.getByText('3 requests')).toBeInTheDocument();
    expect(screen.getByText('1 of 3')).toBeInTheDocument();
    expect(screen.getByRole('button', { name: /^Next: \$15\.00.*1 more/ })).toBeInTheDocument();
  });

  it('turns with buttons, the peeking card and arrow keys, round and round', () => {
    show([offer('a', 60, { fare: { minor: 100, currency: 'USD' } }), offer('b', 120, { fare: { minor: 200, currency: 'USD' } })]);
    const shown = () => screen.getByRole('article').textContent;
    fireEvent.click(screen.getByRole('button', { name: 'Next request' }));
    expect(shown()).toContain('$2.00');
    fireEvent.keyDown(document.body, { key: 'ArrowRight', code: 'ArrowRight' });
    expect(shown()).toContain('$1.00');
    fireEvent.click(screen.getByRole('button', { name: /^Next: \$2\.00/ }));
    fireEvent.keyDown(document.body, { key: 'a', code: 'KeyA' });
    expect(acceptOffer.mock.calls).toEqual([['b']]);
    fireEvent.keyDown(screen.getByLabelText('elsewhere'), { key: 'ArrowLeft', code: 'ArrowLeft' });
    expect(shown()).toContain('$2.00');
    expect(screen.getByText(/^Request 2 of 2/)).toBeInTheDocument();
  });

  it('lets none that is nearer push away what the driver reads', () => {
    const { rerender } = show([offer('b', 120)]);
    rerender(page([offer('a', 60), offer('b', 120)]));
    fireEvent.keyDown(document.body, { key: 'a', code: 'KeyA' });
    expect(acceptOffer.mock.calls).toEqual([['b']]);
  });

  it('takes no tap for another one in the moment after one has ended', () => {
    const { rerender } = show([offer('a', 60), offer('b', 120)]);
    rerender(page([offer('b', 120)]));
    fireEvent.click(screen.getByRole('button', { name: /Accept/ }));
    fireEvent.keyDown(document.body, { key: 'Enter', code: 'Enter' });
    expect(acceptOffer).not.toHaveBeenCalled();
    act(() => void vi.advanceTimersByTime(calmMs));
    fireEvent.click(screen.getByRole('button', { name: /Accept/ }));
    expect(acceptOffer.mock.calls).toEqual([['b']]);
  });

  it("says which way to go, in which area, and how the rider is rated", () => {
    act(() => positions.set({ lat: 0.9, lng: 2, headingDeg: null, accuracyM: 5 }));
    const { rerender } = show([offer('a', 60, { rider_rating_x100: 480 })]);
    expect(screen.getByText('North')).toBeInTheDocument();
    expect(screen.getByLabelText('Rider rating 4.8')).toBeInTheDocument();
    act(() => positions.set({ lat: 1.001, lng: 2, headingDeg: null, accuracyM: 5 }));
    expect(screen.getByText('In your area')).toBeInTheDocument();
    rerender(page([offer('a', 60)]));
    expect(screen.getByText('New rider')).toBeInTheDocument();
    act(() => positions.set(null));
  });
});

describe('the call of new offers', () => {
  it('is one sentence for those that come together', () => {
    let hear: (o: OpenOffer) => void = () => undefined;
    heard.mockImplementation((listener: (o: OpenOffer) => void) => { hear = listener; });
    render(<MantineProvider><OfferCaller /></MantineProvider>);
    act(() => { hear(offer('a', 120)); hear(offer('b', 60)); hear(offer('c', 300)); });
    expect(screen.getByRole('alert')).toHaveTextContent('');
    act(() => void vi.advanceTimersByTime(gatherMs));
    expect(screen.getByRole('alert')).toHaveTextContent('3 new requests. Nearest: $10.58, pickup in 1 min');
    act(() => { hear(offer('d', 120)); vi.advanceTimersByTime(gatherMs); });
    expect(screen.getByRole('alert')).toHaveTextContent('Request: $10.58, pickup in 2 min');
  });
});
