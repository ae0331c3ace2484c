import { ProtocolError, type Client, type OpenOffer } from '@hexhail/client';
import { MantineProvider } from '@mantine/core';
import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import texts from '../../locales/en/driver.json';
import { OfferStack } from './OfferStack';

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

const show = (offers: readonly OpenOffer[]) => render(
  <MantineProvider><OfferStack session={session} offers={offers} /><input aria-label="elsewhere" /></MantineProvider>,
);

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
    expect(screen.getByText(/Waiting for the decision/)).toBeInTheDocument();
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
});
