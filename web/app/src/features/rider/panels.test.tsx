import { MantineProvider } from '@mantine/core';
import type { PendingRequest, TripRoute } from '@hexhail/client';
import { act, cleanup, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import i18next from 'i18next';
import type { ReactNode } from 'react';
import { initReactI18next } from 'react-i18next';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import en from '../../locales/en/rider.json';
import enShell from '../../locales/en/shell.json';
import enTrips from '../../locales/en/trips.json';
import ko from '../../locales/ko/rider.json';
import koTrips from '../../locales/ko/trips.json';
import { connected, now, trip } from '../../test/fixtures';
import { SearchPanel } from './SearchPanel';
import { PickupPanel } from './TripPanel';

const live = vi.hoisted(() => ({
  clock: 0,
  pins: false,
  route: undefined as TripRoute | undefined,
  pending: [] as PendingRequest[],
  cancelTrip: vi.fn<(id: string, reason: string) => Promise<undefined>>(() => Promise.resolve(undefined)),
}));
vi.mock('../../lib/session', () => ({
  useSession: () => ({ serverNow: () => live.clock, cancelTrip: live.cancelTrip }),
  useConnectionState: () => connected,
  usePendingRequests: () => live.pending,
  useView: () => ({ online: false, openOffers: [], closedOffers: [], ...(live.route ? { route: live.route } : {}) }),
}));

vi.mock('../../api/queries', () => ({ useServerConfig: () => ({ data: { trip_pin: live.pins, cell_ring_m: 400 } }) }));

beforeAll(async () => {
  // jsdom has neither, and Mantine asks for both.
  vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => undefined, removeEventListener: () => undefined }));
  vi.stubGlobal('ResizeObserver', class { observe() { return; } unobserve() { return; } disconnect() { return; } });
  await i18next.use(initReactI18next).init({
    lng: 'en', resources: { en: { rider: en, trips: enTrips, shell: enShell }, ko: { rider: ko, trips: koTrips } }, interpolation: { escapeValue: false },
  });
});
beforeEach(() => {
  live.clock = now;
  live.pending = [];
  live.pins = false;
  live.route = undefined;
  live.cancelTrip.mockClear();
});
afterEach(async () => {
  cleanup();
  vi.useRealTimers();
  await i18next.changeLanguage('en');
});

const show = (what: ReactNode) => render(<MantineProvider env="test">{what}</MantineProvider>);
const search = { wave: 2, ring: 2, drivers_asked: 3, expires_at: '2026-11-22T15:31:05Z' };
const driver = { id: 'd', first_name: 'Bo', photo_url: '', vehicle_class: 'standard', plate: 'HX 1001', rating_x100: 487,
  vehicle_make: 'Hyundai', vehicle_model: 'Ioniq 5', vehicle_colour: 'white' };
const matched = trip({ status: 'matched', driver, pin: '0417', pickup_eta_s: 240, matched_at: '2026-11-22T15:30:00Z' });

describe('the search', () => {
  it('counts down by the server’s time and says how many drivers were asked', () => {
    vi.useFakeTimers();
    show(<SearchPanel trip={trip({ search })} again={false} />);
    expect(screen.getByRole('timer')).toHaveTextContent('1:05');
    expect(screen.getByText('3 drivers notified')).toBeInTheDocument();
    expect(screen.getByText('Searching within about 1 km of your pickup.')).toBeInTheDocument();
    live.clock += 10_000;
    act(() => { vi.advanceTimersByTime(1000); });
    expect(screen.getByRole('timer')).toHaveTextContent('0:55');
  });

  it('does not count drivers while there are none', () => {
    show(<SearchPanel trip={trip({ search: { ...search, drivers_asked: 0 } })} again={false} />);
    expect(screen.getByText('No drivers nearby yet')).toBeInTheDocument();
    expect(screen.queryByText(/notified/)).not.toBeInTheDocument();
  });

  it('announces the PIN where trips have one', () => {
    const text = /you get a 4-digit PIN/;
    const { unmount } = show(<SearchPanel trip={trip({ search })} again={false} />);
    expect(screen.queryByText(text)).not.toBeInTheDocument();
    unmount();
    live.pins = true;
    show(<SearchPanel trip={trip({ search })} again={false} />);
    expect(screen.getByText(text)).toBeInTheDocument();
  });

  it('tells of a driver who could not come', () => {
    show(<SearchPanel trip={trip({ search })} again />);
    expect(screen.getByRole('alert')).toHaveTextContent('We’re finding you another one');
    expect(screen.getByRole('heading', { name: 'Finding you another driver' })).toBeInTheDocument();
  });

  it('is cancelled at once when young, and after a question when older', async () => {
    const { unmount } = show(<SearchPanel trip={trip({ search, requested_at: '2026-11-22T15:29:50Z' })} again={false} />);
    await userEvent.click(screen.getByRole('button', { name: 'Cancel request' }));
    expect(live.cancelTrip).toHaveBeenCalledWith('t1', '');
    unmount();
    live.cancelTrip.mockClear();
    show(<SearchPanel trip={trip({ search, requested_at: '2026-11-22T15:29:00Z' })} again={false} />);
    await userEvent.click(screen.getByRole('button', { name: 'Cancel request' }));
    expect(live.cancelTrip).not.toHaveBeenCalled();
    await userEvent.click(await screen.findByRole('button', { name: 'Keep searching' }));
    expect(live.cancelTrip).not.toHaveBeenCalled();
  });
});

describe('the way to the pickup', () => {
  it('shows the plate, the PIN digit by digit and the time that is left', () => {
    show(<PickupPanel trip={matched} position={undefined} />);
    expect(screen.getByText('HX 1001')).toBeInTheDocument();
    expect(screen.getByText('White Hyundai Ioniq 5')).toBeInTheDocument();
    expect(screen.getByRole('img', { name: '0 4 1 7' })).toBeInTheDocument();
    expect(screen.getByText('4 min')).toBeInTheDocument();
  });

  it('goes by the newest position, not by that of another trip', () => {
    const position = { trip_id: 't1', point: { lat: 37.5, lng: 127.03 }, heading_deg: 0, eta_s: 120, left_m: 0, route_revision: 0 };
    const { rerender } = show(<PickupPanel trip={matched} position={{ ...position, trip_id: 't0' }} />);
    expect(screen.getByText('4 min')).toBeInTheDocument();
    rerender(<MantineProvider env="test"><PickupPanel trip={matched} position={position} /></MantineProvider>);
    expect(screen.getByText('2 min')).toBeInTheDocument();
  });

  it('counts what is left of the route, and not of another one', () => {
    const position = { trip_id: 't1', point: { lat: 37.5, lng: 127.03 }, heading_deg: 0, eta_s: 120, left_m: 640, route_revision: 3 };
    live.route = { trip_id: 't1', revision: 3, leg: 'pickup', by: 'streets', polyline: 'cdkcFejaeWdAGj@gA', distance_m: 900, duration_s: 150, steps: [], map_id: 'm' };
    const { rerender } = show(<PickupPanel trip={matched} position={position} />);
    expect(screen.getByText(/^640 m · arriving at/)).toBeInTheDocument();
    rerender(<MantineProvider env="test"><PickupPanel trip={matched} position={{ ...position, route_revision: 2 }} /></MantineProvider>);
    expect(screen.getByText(/^Arriving at/)).toBeInTheDocument();
  });

  it('reads in Korean', async () => {
    await i18next.changeLanguage('ko');
    show(<PickupPanel trip={trip({ ...matched, status: 'arrived' })} position={undefined} />);
    expect(screen.getByRole('heading', { name: 'Bo 기사님이 도착했습니다' })).toBeInTheDocument();
  });

  it('is cancelled with a reason for the driver, who has not more than 200 bytes of it', async () => {
    show(<PickupPanel trip={matched} position={undefined} />);
    await userEvent.click(screen.getByRole('button', { name: 'Cancel ride' }));
    await userEvent.click(await screen.findByLabelText('Another reason'));
    await userEvent.click(screen.getByLabelText('Tell us more'));
    await userEvent.paste('가'.repeat(100));
    const [confirm] = screen.getAllByRole('button', { name: 'Cancel ride' }).slice(-1);
    if (confirm) await userEvent.click(confirm);
    expect(live.cancelTrip).toHaveBeenCalledWith('t1', '가'.repeat(66));
  });

  it('is cancelled without a reason by who gives none: none is chosen for them', async () => {
    show(<PickupPanel trip={matched} position={undefined} />);
    await userEvent.click(screen.getByRole('button', { name: 'Cancel ride' }));
    for (const choice of await screen.findAllByRole('radio')) expect(choice).not.toBeChecked();
    const [confirm] = screen.getAllByRole('button', { name: 'Cancel ride' }).slice(-1);
    if (confirm) await userEvent.click(confirm);
    expect(live.cancelTrip).toHaveBeenCalledWith('t1', '');
  });

  it('says that a cancellation is under way, also one of before a reload', () => {
    live.pending = [{ id: '1', kind: 'cancel_trip', since: now }];
    show(<PickupPanel trip={matched} position={undefined} />);
    expect(screen.getByRole('status')).toHaveTextContent('Cancelling…');
  });
});
