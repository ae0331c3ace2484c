import type { Trip, View } from '@hexhail/client';
import { cleanup, screen, waitFor, within } from '@testing-library/react';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { nothing, trip } from '../../test/fixtures';
import { answerGets, preparePages, showPage, type Answer } from '../../test/page';
import TripPage from './Detail';
import TripsPage from './index';

const live = vi.hoisted(() => ({ role: 'rider', view: undefined as View | undefined }));
vi.mock('../../lib/session', () => ({
  useView: () => live.view, useSessionEvent: () => undefined, usePendingRequests: () => [], useSession: () => ({ serverNow: () => 0 }),
}));
vi.mock('../../api/auth', async (real) => ({ ...await real<object>(), useAccount: () => ({ id: 'me', role: live.role }) }));
vi.mock('../../lib/map', () => ({ RideMap: () => null }));

beforeAll(preparePages);
beforeEach(() => {
  live.role = 'rider';
  live.view = nothing;
});
afterEach(() => cleanup());

const ended = (id: string, status: Trip['status'], more: Partial<Trip> = {}) => trip({ id, status, ended_at: '2026-11-22T15:40:00Z', dropoff_address: `To ${id}`, ...more });

describe('the list of trips', () => {
  const show = (page: (query: Record<string, unknown>) => Answer) => ({
    get: answerGets((path, query) => (path === '/v1/trips' ? page(query) : undefined)),
    ...showPage('/trips', '/trips', TripsPage),
  });

  it('reads on by the cursor, and shows a trip that moved between two pages once', async () => {
    const { user } = show(({ cursor }) => ({
      data: cursor === undefined ? { items: [ended('a', 'completed'), ended('b', 'cancelled')], next_cursor: 'on' } : { items: [ended('b', 'cancelled'), ended('c', 'expired')], next_cursor: '' },
    }));
    await user.click(await screen.findByRole('button', { name: 'Show more' }));
    expect(await screen.findByText('To c')).toBeInTheDocument();
    expect(screen.getAllByText('To b')).toHaveLength(1);
    expect(screen.getByText('You’ve reached the end.')).toBeInTheDocument();
  });

  it('asks the server for one kind of ending, and offers all that there are', async () => {
    const { user, get } = show(({ status }) => ({ data: { items: status === 'expired' ? [] : [ended('a', 'completed')], next_cursor: '' } }));
    await screen.findByText('To a');
    expect(within(screen.getByRole('radiogroup', { name: 'Filter trips' })).getAllByRole('radio').map((r) => (r as HTMLInputElement).value)).toEqual(['all', 'completed', 'cancelled', 'expired']);
    await user.click(screen.getByText('No driver'));
    expect(await screen.findByText('No trips here.')).toBeInTheDocument();
    expect(get.mock.lastCall?.[1]).toMatchObject({ params: { query: { status: 'expired' } } });
  });

  it.each([['rider', 'Request a ride', '/ride'], ['driver', 'Start driving', '/drive']])('leads a %s who has none to the first one', async (role, text, to) => {
    live.role = role;
    show(() => ({ data: { items: [], next_cursor: '' } }));
    expect(await screen.findByRole('link', { name: text })).toHaveAttribute('href', to);
  });

  it('says when it cannot be read, and tries again', async () => {
    let failing = true;
    const { user } = show(() => (failing ? { status: 503, code: 'unavailable' } : { data: { items: [ended('a', 'completed')], next_cursor: '' } }));
    expect(await screen.findByRole('alert')).toHaveTextContent('Your trips couldn’t be loaded.');
    failing = false;
    await user.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByText('To a')).toBeInTheDocument();
  });
});

describe('the page of a trip', () => {
  const show = (answer: () => Answer) => ({ get: answerGets((path) => (path === '/v1/trips/{id}' ? answer() : undefined)), ...showPage('/trips/$id', '/trips/t1', TripPage) });
  const known = (what: Trip): Answer => ({ data: { trip: what, events: [], track: [] } });

  it('says that there is none, without a way to try again', async () => {
    show(() => ({ status: 404, code: 'not_found' }));
    expect(await screen.findByRole('heading', { name: 'Trip not found' })).toBeInTheDocument();
    expect(screen.queryByRole('button', { name: 'Try again' })).not.toBeInTheDocument();
  });

  it.each([
    ['rider', 'driver', 'The driver cancelled this trip.'], ['driver', 'driver', 'You cancelled this trip.'],
    ['rider', 'operator', 'The operator cancelled this trip.'], ['rider', 'by_unspecified', 'This trip timed out.'],
  ])('tells a %s of a cancellation by %s', async (role, by, text) => {
    live.role = role;
    show(() => known(ended('t1', 'cancelled', { cancellation: { by, reason: 'Flat tyre' } } as Partial<Trip>)));
    expect(await screen.findByText(text)).toBeInTheDocument();
    expect(screen.getByText('Flat tyre')).toBeInTheDocument();
    expect(screen.queryByRole('link', { name: 'Follow trip' })).not.toBeInTheDocument();
  });

  it.each([['rider', '/ride'], ['driver', '/drive']])('leads a %s to the trip while it goes on, and shows the newer of two versions', async (role, to) => {
    live.role = role;
    live.view = { ...nothing, activeTrip: trip({ status: 'arrived', version: 5 }) };
    const { get } = show(() => known(trip({ status: 'matched', version: 3 })));
    expect(await screen.findByText('Driver has arrived')).toBeInTheDocument();
    expect(screen.getByRole('link', { name: 'Follow trip' })).toHaveAttribute('href', to);
    await waitFor(() => expect(get).toHaveBeenCalled());
  });
});
