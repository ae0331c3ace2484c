import { cleanup, screen, waitFor } from '@testing-library/react';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { http } from '../../api/auth';
import { answerGets, preparePages, showPage, type Answer } from '../../test/page';
import { DemoDispatch } from './DemoDispatch';

beforeAll(preparePages);
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

const show = (demo: boolean, now: () => Answer) => {
  const get = answerGets((path) => {
    if (path === '/v1/config') return { data: { demo, vehicle_classes: [], map: {}, support_contact: '', cell_ring_m: 400 } };
    return path === '/v1/demo/dispatch' ? now() : undefined;
  });
  return { get, ...showPage('/ops', '/ops', DemoDispatch) };
};

describe('how a demonstration asks drivers', () => {
  it('is changed with one click', async () => {
    let policy = 'nearest';
    const { user } = show(true, () => ({ data: { policy, cap: 1 } }));
    const put = vi.spyOn(http, 'PUT').mockImplementation(((_: string, { body }: { body: { policy: string } }) => {
      ({ policy } = body);
      return Promise.resolve({ data: { policy, cap: 8 }, response: new Response(null, { status: 200, headers: { 'Content-Type': 'application/json' } }) });
    }) as never);
    expect(await screen.findByRole('radio', { name: 'One of the nearest' })).toBeChecked();
    expect(screen.getByRole('status')).toHaveTextContent('One of the nearest drivers is asked at a time, and gets no other offer meanwhile.');
    await user.click(screen.getByText('Several at once'));
    await waitFor(() => expect(screen.getByRole('radio', { name: 'Several at once' })).toBeChecked());
    expect(screen.getByRole('status')).toHaveTextContent('New trips follow this; trips under way stay as they are.');
    expect(put.mock.calls.map(([path, options]) => [path, (options as { body: unknown }).body])).toEqual([['/v1/demo/dispatch', { policy: 'broadcast' }]]);
  });

  it('stays as it is where the server refuses', async () => {
    const { user } = show(true, () => ({ data: { policy: 'broadcast', cap: 8 } }));
    const problem = { code: 'unavailable', status: 503, detail: 'busy', retryable: true };
    vi.spyOn(http, 'PUT').mockResolvedValue({ error: problem, response: new Response(null, { status: 503, headers: { 'Content-Type': 'application/problem+json' } }) } as never);
    await user.click(await screen.findByText('One of the nearest'));
    await waitFor(() => expect(screen.getByRole('radio', { name: 'Several at once' })).toBeChecked());
    expect(screen.getByRole('status')).toHaveTextContent('Several drivers get an offer at once.');
  });

  it('can be asked for again', async () => {
    let answer: Answer = { status: 503, code: 'unavailable' };
    const { user } = show(true, () => answer);
    const retry = await screen.findByRole('button', { name: 'Try again' });
    answer = { data: { policy: 'nearest', cap: 1 } };
    await user.click(retry);
    expect(await screen.findByRole('radio', { name: 'One of the nearest' })).toBeChecked();
  });

  it('is no matter of other servers', async () => {
    const { get } = show(false, () => ({ data: {} }));
    await waitFor(() => expect(get).toHaveBeenCalled());
    expect(screen.queryByRole('radio')).not.toBeInTheDocument();
    expect(get.mock.calls.some(([path]) => path === '/v1/demo/dispatch')).toBe(false);
  });
});
