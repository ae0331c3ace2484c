import { cleanup, screen, waitFor, within } from '@testing-library/react';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';

import { answerGets, preparePages, showPage } from '../../test/page';
import OpsAuditPage from './Audit';
import { actions, entryOf } from './AuditEntry';
import { auditSearch } from './table/search';

beforeAll(preparePages);
afterEach(() => cleanup());

const entry = (id: string, action: string, detail: string, subject = 's1') => ({ id, at: '2026-11-22T15:30:00Z', actor: 'op1', action, subject, detail });

function rowOf(element: HTMLElement) {
  const row = element.closest<HTMLElement>('[role="row"]');
  if (!row) throw new Error('not in a row');
  return within(row);
}

function show(at = '/ops/audit') {
  const get = answerGets((path, query) => {
    if (path === '/v1/admin/audit') {
      const items = [entry('1', 'trip.cancel', '{"reason":"flooded street"}', 'trip-1'), entry('2', 'account.suspend.failed', '{"code":"not_found"}', 'ada-1')];
      return { data: { items: items.filter((e) => !query.action || e.action === query.action), next_cursor: '' } };
    }
    return path === '/v1/admin/accounts' ? { data: { items: [{ account: { id: 'op1', first_name: 'Olga', last_name: 'Berg', username: 'olga' } }], next_cursor: '' } } : undefined;
  });
  return { get, ...showPage('/ops/audit', at, OpsAuditPage, auditSearch) };
}

describe('the audit log', () => {
  it('shows who did what, and why it failed in words', async () => {
    show();
    const cancelled = rowOf(await screen.findByText('flooded street'));
    expect(cancelled.getByText('Cancelled a trip')).toBeInTheDocument();
    expect(await cancelled.findByText('Olga Berg')).toBeInTheDocument();
    expect(rowOf(screen.getByText('This no longer exists.')).getByText('Failed')).toBeInTheDocument();
  });

  it('asks the server for what the address filters by, and clears that', async () => {
    const { user, router, get } = show('/ops/audit?action=trip.cancel&actor=op1&nonsense=1');
    await screen.findByText('flooded street');
    expect(get).toHaveBeenCalledWith('/v1/admin/audit', expect.objectContaining({ params: { query: expect.objectContaining({ action: 'trip.cancel', actor: 'op1' }) as object } }));
    await user.click(screen.getByRole('button', { name: 'Clear filters' }));
    await waitFor(() => expect(router.state.location.search).toEqual({}));
    expect(await screen.findByText('This no longer exists.')).toBeInTheDocument();
  });

  it('leads from an entry to its trip', async () => {
    const { user, router } = show();
    await user.click(await screen.findByText('flooded street'));
    await waitFor(() => expect(router.state.location.pathname).toBe('/ops/trips/trip-1'));
  });
});

describe('an entry', () => {
  it.each(actions)('%s is known, also where it failed', (action) => {
    expect(entryOf({ action, detail: '' })).toMatchObject({ action, failed: false });
    expect(entryOf({ action: `${action}.failed`, detail: '{"code":"internal"}' })).toMatchObject({ action, failed: true, code: 'internal', reason: '' });
  });

  it('of an export leads to the person whose trips they were, if to any', () => {
    expect(entryOf({ action: 'trips.export', detail: '{"reason":"csv, 12 trips"}' })).toEqual({ action: 'trips.export', failed: false, subject: 'trips', reason: 'csv, 12 trips', code: '' });
  });

  it('of a newer server or the command line is shown as it is', () => {
    expect(entryOf({ action: 'zone.close', detail: 'storm' })).toEqual({ action: null, failed: false, subject: 'unknown', reason: 'storm', code: '' });
    expect(entryOf({ action: 'operator.create', detail: 'made by the command line' })).toMatchObject({ subject: 'person', reason: 'made by the command line' });
  });
});
