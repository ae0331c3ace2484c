import { cleanup, screen, within } from '@testing-library/react';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { answerGets, preparePages, showPage, type Answer } from '../../test/page';
import EarningsPage from './Earnings';

vi.mock('../../lib/session', () => ({ useSessionEvent: () => undefined }));
vi.mock('../../api/auth', async (real) => ({ ...await real<object>(), useAccount: () => ({ id: 'bo', role: 'driver' }) }));

beforeAll(preparePages);
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: new Date(2026, 10, 22, 15, 30) });
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

/** A completed trip that ended so many days ago, at that hour of the device. */
function ride(id: string, daysAgo: number, hour: number, minor: number, currency = 'USD') {
  const at = new Date(2026, 10, 22 - daysAgo, hour, 5).toISOString();
  return { id, status: 'completed', version: 6, requested_at: at, ended_at: at, dropoff_address: `To ${id}`, fare: { total: { minor, currency }, distance_m: 4200, duration_s: 600 } };
}

const page = (items: readonly object[], next = ''): Answer => ({ data: { items, next_cursor: next } });
const plain = (text: string | null) => (text ?? '').replaceAll(/\s/g, ' ');

function show(answer: (query: Record<string, unknown>) => Answer) {
  return { get: answerGets((path, query) => (path === '/v1/trips' ? answer(query) : undefined)), ...showPage('/earnings', '/earnings', EarningsPage) };
}

/** The card with this label, as text. */
const stat = (label: string) => plain(screen.getAllByText(label, { selector: 'p' })[0]?.parentElement?.textContent ?? null);

describe('the earnings', () => {
  it('add up today and the last 7 days, over all pages, without a trip of before', async () => {
    const { get } = show(({ cursor }) => (cursor === undefined
      ? page([ride('a', 0, 9, 1250), ride('b', 0, 11, 899), ride('c', 1, 20, 1000)], 'on')
      : page([ride('d', 6, 8, 351), ride('e', 7, 8, 9_999)])));
    expect(await screen.findByText('To a')).toBeInTheDocument();
    expect(stat('Today')).toBe('Today$21.492 trips');
    expect(stat('Last 7 days')).toBe('Last 7 days$35.004 trips');
    expect(get.mock.calls.map(([, options]) => options?.params?.query)).toEqual([
      { status: 'completed', limit: 200 }, { status: 'completed', limit: 200, cursor: 'on' },
    ]);
  });

  it('keep currencies apart, each with its own decimals', async () => {
    show(() => page([ride('a', 0, 9, 4800, 'KRW'), ride('b', 0, 10, 1250, 'KWD'), ride('c', 0, 11, 5200, 'KRW')]));
    await screen.findByText('To a');
    expect(stat('Today')).toBe('Today₩10,000 + KWD 1.2503 trips');
  });

  it('stand day by day, today last, and hour by hour', async () => {
    const { user } = show(() => page([ride('a', 0, 9, 1250), ride('b', 0, 11, 899), ride('c', 1, 20, 1000)]));
    await screen.findByText('To a');
    const bars = () => within(screen.getByRole('heading', { name: /^By / }).closest<HTMLElement>('.mantine-Paper-root') ?? document.body)
      .getAllByRole('listitem').map((bar) => plain(bar.firstElementChild?.textContent ?? null));
    expect(bars()).toHaveLength(7);
    expect(bars().slice(-3)).toEqual(['Fri: –, 0 trips', 'Sat: $10.00, 1 trip', 'Sun: $21.49, 2 trips']);
    await user.click(screen.getByRole('radio', { name: 'Today' }));
    expect(screen.getByRole('heading', { name: 'By hour' })).toBeInTheDocument();
    expect(bars()).toEqual(['9 AM: $12.50, 1 trip', '10 AM: –, 0 trips', '11 AM: $8.99, 1 trip']);
  });

  it('list the newest trips, each with its fare and the way to it', async () => {
    show(() => page([ride('a', 0, 9, 1250)]));
    const link = await screen.findByRole('link', { name: /To a/ });
    expect(link).toHaveAttribute('href', '/trips/a');
    expect(plain(link.textContent)).toContain('$12.50');
    expect(plain(link.textContent)).toContain('4.2 km');
  });

  it('lead to the road a driver who has none', async () => {
    show(() => page([]));
    expect(await screen.findByText('No trips in the last 7 days.')).toBeInTheDocument();
    expect(screen.getByRole('link', { name: 'Start driving' })).toHaveAttribute('href', '/drive');
    expect(stat('Today')).toBe('Today–0 trips');
    expect(screen.getByText('No earnings in this period.')).toBeInTheDocument();
  });

  it('say that they load, that they cannot be read, and try again', async () => {
    let failing = true;
    const { user } = show(() => (failing ? { status: 503, code: 'unavailable' } : page([ride('a', 0, 9, 1250)])));
    expect(await screen.findByRole('status', { name: 'Loading earnings' })).toBeInTheDocument();
    expect(await screen.findByRole('alert')).toHaveTextContent('Your earnings couldn’t be loaded. The server is busy. Try again soon.');
    failing = false;
    await user.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByText('To a')).toBeInTheDocument();
  });
});
