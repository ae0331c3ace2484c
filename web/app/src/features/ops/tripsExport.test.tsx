import { MantineProvider } from '@mantine/core';
import { notifications, Notifications } from '@mantine/notifications';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { cleanup, render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { http } from '../../api/auth';
import { preparePages } from '../../test/page';
import { save } from '../../lib/save';
import type { TripsSearch } from './table/search';
import { TripsExport } from './TripsExport';

vi.mock('../../lib/save', () => ({ save: vi.fn() }));

const get = vi.spyOn(http, 'GET');
beforeAll(preparePages);
beforeEach(() => {
  get.mockReset();
  vi.mocked(save).mockReset();
});
afterEach(() => {
  notifications.clean(); // they outlive the page
  cleanup();
});

const file = new Blob(['trip_id\n']);
const answered = (type: string, status = 200) => new Response(null, { status, headers: { 'Content-Type': type } });
const refused = (code: string, status: number) => ({ error: { code, status, detail: code, retryable: false }, response: answered('application/problem+json', status) });

async function choose(search: TripsSearch, item: RegExp) {
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={new QueryClient()}><Notifications /><TripsExport search={search} /></QueryClientProvider>
    </MantineProvider>,
  );
  const user = userEvent.setup();
  await user.click(screen.getByRole('button', { name: 'Export' }));
  await user.click(await screen.findByRole('menuitem', { name: item }));
}

describe('the export of trips', () => {
  it('asks for what the filters select, and saves the file', async () => {
    get.mockResolvedValue({ data: file, response: answered('text/csv; charset=utf-8; header=present') } as never);
    await choose({ status: 'completed,cancelled', q: 'mill', account: 'r1', from: '2026-11-01T00:00:00.000Z', to: '2026-12-01T00:00:00.000Z' }, /CSV/);
    expect(await screen.findByRole('status')).toHaveTextContent('The trips have been downloaded.');
    expect(get).toHaveBeenCalledExactlyOnceWith('/v1/admin/trips/export', { parseAs: 'blob', params: { query: {
      format: 'csv', status: ['completed', 'cancelled'], q: 'mill', account: 'r1', from: '2026-11-01T00:00:00.000Z', to: '2026-12-01T00:00:00.000Z',
    } } });
    expect(save).toHaveBeenCalledExactlyOnceWith(file, expect.stringMatching(/^hexhail-trips-\d{8}T\d{6}Z\.csv$/));
  });

  it('has live trips and the ready-made spans, as JSON lines too', async () => {
    get.mockResolvedValue({ data: file, response: answered('application/jsonl') } as never);
    await choose({ status: 'live', period: '1h' }, /JSON/);
    await waitFor(() => expect(save).toHaveBeenCalledWith(file, expect.stringMatching(/\.jsonl$/)));
    const { query } = (get.mock.calls[0]?.[1] as unknown as { params: { query: Record<string, unknown> } }).params;
    expect(query).toMatchObject({ live: true, format: 'jsonl' });
    expect(query).not.toHaveProperty('status');
    expect(Date.now() - Date.parse(query.from as string)).toBeLessThan(3_700_000);
  });

  it('is busy until the file is there', async () => {
    let finish: (answer: unknown) => void = () => undefined;
    get.mockReturnValue(new Promise((resolve) => { finish = resolve; }) as never);
    await choose({}, /CSV/);
    await waitFor(() => expect(screen.getByRole('button', { name: 'Export' })).toHaveAttribute('aria-busy', 'true'));
    expect(screen.getByRole('button', { name: 'Export' })).toBeDisabled();
    finish({ data: file, response: answered('text/csv') });
    await waitFor(() => expect(screen.getByRole('button', { name: 'Export' })).toBeEnabled());
  });

  it.each([
    ['invalid_argument', 422, 'More than 100,000 trips match.'],
    ['too_many_requests', 429, 'You already have an export running'],
    ['unavailable', 503, 'The export failed, and no file was saved. The server is busy.'],
  ])('says why %s is no file', async (code, status, words) => {
    get.mockResolvedValue(refused(code, status) as never);
    await choose({}, /CSV/);
    expect(await screen.findByRole('alert')).toHaveTextContent(words);
    expect(save).not.toHaveBeenCalled();
  });

  it('takes a connection that is cut for a failure, and a foreign page too', async () => {
    get.mockRejectedValueOnce(new TypeError('network error'));
    await choose({}, /CSV/);
    expect(await screen.findByRole('alert')).toHaveTextContent('The export failed, and no file was saved.');
    expect(save).not.toHaveBeenCalled();
    cleanup();
    get.mockResolvedValue({ data: file, response: answered('text/html') } as never);
    await choose({}, /CSV/);
    expect((await screen.findAllByRole('alert')).at(-1)).toHaveTextContent('The export failed');
    expect(save).not.toHaveBeenCalled();
  });
});
