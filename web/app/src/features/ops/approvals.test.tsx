import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { createMemoryHistory, createRootRoute, createRoute, createRouter, Outlet, RouterProvider } from '@tanstack/react-router';
import { cleanup, render, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import type { Schemas } from '../../api/http';
import en from '../../locales/en/ops.json';
import shell from '../../locales/en/shell.json';
import { http } from '../../api/auth';
import { WaitingDrivers } from './WaitingDrivers';
import OpsApprovalsPage from './Approvals';
import { possible } from './approvals/decisions';
import { approvalsSearch } from './table/search';

beforeAll(async () => {
  await i18next.use(initReactI18next).init({ lng: 'en', resources: { en: { ops: en, shell } }, defaultNS: 'shell', interpolation: { escapeValue: false }, contextSeparator: '~' });
  // What jsdom lacks; here a screen is wide, and as high as a few rows.
  window.scrollTo = () => undefined;
  window.matchMedia = (query) => ({ matches: false, media: query, addEventListener: () => undefined, removeEventListener: () => undefined, onchange: null, dispatchEvent: () => false }) as unknown as MediaQueryList;
  globalThis.ResizeObserver = class { observe() { /* sizes do not change here */ } unobserve() { /* likewise */ } disconnect() { /* likewise */ } };
  Object.defineProperty(HTMLElement.prototype, 'clientHeight', { configurable: true, get: () => 600 });
  Object.defineProperty(HTMLElement.prototype, 'clientWidth', { configurable: true, get: () => 1200 });
});

const get = vi.spyOn(http, 'GET');
const post = vi.spyOn(http, 'POST');

type State = Schemas['ApprovalView']['state'];
type Person = Schemas['AdminAccountView'];

function person(id: string, name: string, state: State = 'pending', more: Partial<Schemas['AccountView']> = {}): Person {
  return {
    issuer: '',
    account: {
      id, role: 'driver', status: 'active', username: name.toLowerCase(), first_name: name, last_name: 'Kim', photo_url: '', created_at: '2026-01-05T08:00:00Z',
      rating_x100: 0, ratings: 0, vehicle: { class: 'standard', plate: `HX ${id}`, make: 'Kia', model: 'EV6', colour: 'white' }, approval: { state }, ...more,
    },
  } as unknown as Person;
}

/** An answer of the server's, as its headers say. */
const answered = (status: number) => new Response(null, { status, headers: { 'Content-Type': status < 400 ? 'application/json' : 'application/problem+json' } });

/** The server's accounts, as a test leaves them. */
let people: Person[];
let failing: boolean;

beforeEach(() => {
  people = [person('1', 'Ana'), person('2', 'Bo', 'pending', { vehicle: { class: 'van', plate: 'VAN 2', make: '', model: '', colour: '' } })];
  failing = false;
  get.mockReset();
  get.mockImplementation(((path: string, { params }: { params?: { query?: { approval?: State } } } = {}) => {
    const response = answered(failing ? 503 : 200);
    if (failing) return Promise.resolve({ error: { code: 'unavailable', status: 503, detail: 'no', retryable: true }, response });
    const waiting = people.filter((p) => p.account.approval?.state === 'pending');
    if (path === '/v1/admin/waiting-drivers') return Promise.resolve({ data: { count: waiting.length, more: false }, response });
    if (path === '/v1/config') return Promise.resolve({ data: { driver_approval: true }, response });
    const state = params?.query?.approval;
    return Promise.resolve({ data: { items: people.filter((p) => p.account.approval?.state === state), next_cursor: '' }, response });
  }) as never);
  post.mockReset();
});
afterEach(() => cleanup());

function answer(next: Person): void {
  people = people.map((p) => (p.account.id === next.account.id ? next : p));
  post.mockResolvedValueOnce({ data: next, response: answered(200) });
}

function show(at = '/ops/approvals') {
  const root = createRootRoute({ component: () => <><nav><WaitingDrivers /></nav><Outlet /></> });
  const ops = createRoute({ getParentRoute: () => root, path: 'ops' });
  const page = createRoute({ getParentRoute: () => ops, path: 'approvals', validateSearch: approvalsSearch, component: OpsApprovalsPage });
  const one = createRoute({ getParentRoute: () => ops, path: 'people/$id', component: () => <p>One person</p> });
  const router = createRouter({ routeTree: root.addChildren([ops.addChildren([page, one])]), history: createMemoryHistory({ initialEntries: [at] }) });
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}><Notifications /><RouterProvider router={router as never} /></QueryClientProvider>
    </MantineProvider>,
  );
  return userEvent.setup();
}

const row = (name: string) => screen.findByRole('row', { name: new RegExp(name) });

describe('the queue of drivers', () => {
  it('shows who waits, with the car and since when, and how many', async () => {
    show();
    const ana = await row('Ana Kim');
    expect(ana).toHaveTextContent('HX 1');
    expect(ana).toHaveTextContent('White Kia EV6');
    expect(ana).toHaveTextContent('Jan 5');
    expect(ana).toHaveTextContent('No photo');
    expect(await row('Bo Kim')).toHaveTextContent('Not given');
    expect(await screen.findByText('2 drivers waiting')).toBeInTheDocument();
  });

  it('approves with one press, and the row and the count go', async () => {
    const user = show();
    await row('Ana Kim');
    answer(person('1', 'Ana', 'approved'));
    await user.click(screen.getByRole('button', { name: 'Approve Ana Kim' }));
    expect(await screen.findByText('Ana Kim can drive now.')).toBeInTheDocument();
    expect(post).toHaveBeenCalledWith('/v1/admin/accounts/{id}/approve', expect.objectContaining({ params: { path: { id: '1' } } }));
    await waitFor(() => expect(screen.queryByRole('row', { name: /Ana Kim/ })).toBeNull());
    expect(await screen.findByText('1 driver waiting')).toBeInTheDocument();
  });

  it('refuses with a reason, which the driver reads', async () => {
    const user = show();
    await row('Bo Kim');
    await user.click(screen.getByRole('button', { name: 'Refuse Bo Kim' }));
    const dialog = await screen.findByRole('dialog', { name: 'Refuse Bo Kim' });
    await user.click(within(dialog).getByRole('button', { name: 'Refuse' }));
    expect(await within(dialog).findByText('Enter a reason.')).toBeInTheDocument();
    expect(post).not.toHaveBeenCalled();
    answer(person('2', 'Bo', 'refused', { approval: { state: 'refused', reason: 'The licence has expired' } }));
    await user.click(within(dialog).getByRole('textbox', { name: /Reason/ }));
    await user.paste('The licence has expired');
    await user.click(within(dialog).getByRole('button', { name: 'Refuse' }));
    await waitFor(() => expect(screen.queryByRole('row', { name: /Bo Kim/ })).toBeNull());
    expect(post).toHaveBeenCalledWith('/v1/admin/accounts/{id}/refuse', expect.objectContaining({ body: { reason: 'The licence has expired' } }));
  });

  it('is done with the keyboard alone, and the focus stays in the list', async () => {
    const user = show();
    const ana = await row('Ana Kim');
    ana.focus();
    answer(person('1', 'Ana', 'approved'));
    await user.keyboard('a');
    await waitFor(() => expect(screen.queryByRole('row', { name: /Ana Kim/ })).toBeNull());
    const bo = await row('Bo Kim');
    await waitFor(() => expect(bo).toHaveFocus());
    await user.keyboard('r');
    expect(await screen.findByRole('dialog', { name: 'Refuse Bo Kim' })).toBeInTheDocument();
  });

  it('says so when no one waits, and what went wrong where it cannot be read', async () => {
    people = [];
    show();
    expect(await screen.findByText('No drivers are waiting for approval.')).toBeInTheDocument();
    cleanup();
    failing = true;
    const user = show();
    expect(await screen.findByText('This couldn’t be loaded')).toBeInTheDocument();
    failing = false;
    people = [person('3', 'Cy')];
    await user.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await row('Cy Kim')).toBeInTheDocument();
  });

  it('shows who was refused and why, and lets them drive after all', async () => {
    people = [person('4', 'Di', 'refused', { approval: { state: 'refused', reason: 'No photo of the car' } })];
    const user = show('/ops/approvals?state=refused');
    expect(await row('Di Kim')).toHaveTextContent('No photo of the car');
    answer(person('4', 'Di', 'approved'));
    await user.click(screen.getByRole('button', { name: 'Approve Di Kim' }));
    expect(await screen.findByText('Di Kim can drive now.')).toBeInTheDocument();
  });
});

describe('what can be decided', () => {
  it('follows from how a driver stands', () => {
    expect(possible(person('1', 'A'))).toEqual(['approve', 'refuse']);
    expect(possible(person('1', 'A', 'approved'))).toEqual(['refuse']);
    expect(possible(person('1', 'A', 'refused'))).toEqual(['approve']);
    expect(possible(person('1', 'A', 'pending', { approval: undefined }))).toEqual([]);
  });
});
