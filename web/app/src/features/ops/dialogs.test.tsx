import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { createMemoryHistory, createRootRoute, createRouter, RouterProvider } from '@tanstack/react-router';
import { cleanup, render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import i18next from 'i18next';
import type { ReactNode } from 'react';
import { initReactI18next } from 'react-i18next';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import type { Schemas } from '../../api/http';
import en from '../../locales/en/ops.json';
import shell from '../../locales/en/shell.json';
import { http } from '../../api/auth';
import { actionsOn as actionsOnPerson, PersonActions } from './PersonActions';
import { actionsOn, TripMenu, useTripActions } from './TripActions';

beforeAll(async () => {
  await i18next.use(initReactI18next).init({ lng: 'en', resources: { en: { ops: en, shell } }, defaultNS: 'shell', interpolation: { escapeValue: false }, contextSeparator: '~' });
  // What jsdom lacks.
  window.scrollTo = () => undefined;
  window.matchMedia = (query) => ({ matches: false, media: query, addEventListener: () => undefined, removeEventListener: () => undefined, onchange: null, dispatchEvent: () => false }) as unknown as MediaQueryList;
  globalThis.ResizeObserver = class { observe() { /* sizes do not change here */ } unobserve() { /* likewise */ } disconnect() { /* likewise */ } };
});

const post = vi.spyOn(http, 'POST');
beforeEach(() => {
  post.mockReset(); // what a hook returns would be called afterwards
});
afterEach(() => cleanup());

function answer(status: number, body: unknown): void {
  // As the server sends it: an answer of another kind is taken for another server's.
  const response = new Response(null, { status, headers: { 'Content-Type': status < 400 ? 'application/json' : 'application/problem+json' } });
  post.mockResolvedValueOnce((status < 400 ? { data: body, response } : { error: body, response }));
}

async function show(node: ReactNode) {
  const root = createRootRoute({ component: () => node });
  const router = createRouter({ routeTree: root, history: createMemoryHistory() });
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={new QueryClient()}><Notifications /><RouterProvider router={router} /></QueryClientProvider>
    </MantineProvider>,
  );
  await screen.findAllByRole('button');
}

const trip = { id: '01a20498-741d-7cc8-9f08-15dc8f063187', status: 'matched', version: 3, rider: { first_name: 'Tara' }, driver: { first_name: 'Viktor' } } as Schemas['Trip'];

function Row() {
  const { ask, dialog } = useTripActions();
  return <><TripMenu trip={trip} ask={ask} />{dialog}</>;
}

describe('a trip’s actions', () => {
  it('are those that its status allows', () => {
    expect(actionsOn({ status: 'requested' })).toEqual(['redispatch', 'cancel']);
    expect(actionsOn({ status: 'in_progress' })).toEqual(['cancel']);
    expect(actionsOn({ status: 'completed' })).toEqual([]);
  });

  it('need a reason, and say what came of them', async () => {
    const user = userEvent.setup();
    await show(<Row />);
    await user.click(screen.getByRole('button', { name: /Actions for trip/ }));
    await user.click(await screen.findByRole('menuitem', { name: /Cancel trip/ }));
    const confirm = await screen.findByRole('button', { name: 'Cancel trip' });
    await user.click(confirm);
    expect(await screen.findByText('Enter a reason.')).toBeInTheDocument();
    await user.type(screen.getByRole('textbox', { name: /Reason/ }), '   ');
    await user.click(confirm);
    expect(post).not.toHaveBeenCalled();

    answer(409, { code: 'wrong_status', status: 409, detail: 'no', retryable: false });
    await user.type(screen.getByRole('textbox', { name: /Reason/ }), 'flooded street ');
    await user.click(confirm);
    expect(await screen.findByRole('alert')).toHaveTextContent(/status has changed/);

    answer(200, { trip: { ...trip, status: 'cancelled', version: 4 } });
    await user.click(confirm);
    expect(await screen.findByText(/063187 has been cancelled/)).toBeInTheDocument();
    await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
    expect(post).toHaveBeenLastCalledWith('/v1/admin/trips/{id}/cancel', { params: { path: { id: trip.id } }, body: { reason: 'flooded street' } });
  });
});

function person(more: Partial<Schemas['AccountView']> = {}, issuer = ''): Schemas['AdminAccountView'] {
  const account: Schemas['AccountView'] = { id: 'p1', role: 'driver', status: 'active', username: 'bowie', first_name: 'Bo', last_name: 'L', photo_url: '', rating_x100: 0, ratings: 0, created_at: '2026-11-22T12:00:00Z', ...more };
  return { account, issuer, updated_at: account.created_at };
}

describe('a person’s actions', () => {
  it('say why not, where they are of no use', () => {
    expect(actionsOnPerson(person(), 'p1')[0]).toEqual({ action: 'suspend', not: 'self' });
    expect(actionsOnPerson(person({ status: 'suspended' }), 'me')[0]).toEqual({ action: 'reinstate' });
    expect(actionsOnPerson(person({}, 'https://id.example'), 'me').find((a) => a.action === 'password')?.not).toBe('outside');
    expect(actionsOnPerson(person({ photo_url: '/v1/photos/x' }), 'me').find((a) => a.action === 'removePhoto')?.not).toBeUndefined();
  });

  it('do nothing while they are of no use', async () => {
    const user = userEvent.setup();
    await show(<PersonActions person={person({}, 'https://id.example')} />);
    await user.click(screen.getByRole('button', { name: 'Reset password' }));
    expect(screen.queryByRole('dialog')).not.toBeInTheDocument();
  });

  it('show a new password once, until somebody says that it was passed on', async () => {
    const user = userEvent.setup();
    await show(<PersonActions person={person()} />);
    await user.click(screen.getByRole('button', { name: 'Reset password' }));
    answer(200, { ...person(), password: 'correct-horse' });
    await user.type(await screen.findByRole('textbox', { name: /Reason/ }), 'forgot it');
    await user.click(screen.getByRole('button', { name: 'Generate password' }));
    expect(await screen.findByText('correct-horse')).toBeInTheDocument();
    expect(post).toHaveBeenCalledWith('/v1/admin/accounts/{id}/password', { params: { path: { id: 'p1' } }, body: { reason: 'forgot it' } });
    expect(screen.getByText(/log in as “bowie”/)).toBeInTheDocument();
    await user.keyboard('{Escape}');
    expect(screen.getByText('correct-horse')).toBeInTheDocument();
    await user.click(screen.getByRole('button', { name: 'I’ve passed it on' }));
    await waitFor(() => expect(screen.queryByText('correct-horse')).not.toBeInTheDocument());
  });
});
