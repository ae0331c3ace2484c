import { Notifications } from '@mantine/notifications';
import { cleanup, screen, waitFor, within } from '@testing-library/react';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { auth, http } from '../../api/auth';
import type { Account } from '../../api/http';
import { ApiError } from '../../api/problem';
import { answerGets, preparePages, showPage } from '../../test/page';
import Profile from './Profile';

const live = vi.hoisted(() => ({ riding: false, changePassword: vi.fn(), deleteAccount: vi.fn() }));
vi.mock('../../lib/session', () => ({ useView: () => ({ online: false, openOffers: [], closedOffers: [], ...(live.riding ? { activeTrip: { id: 't1' } } : {}) }) }));
vi.mock('../../api/auth', async (real) => ({ ...await real<object>(), changePassword: live.changePassword, deleteAccount: live.deleteAccount }));

const ada: Account = {
  id: 'ada', role: 'rider', status: 'active', username: 'ada', first_name: 'Ada', last_name: 'Byron', photo_url: '', rating_x100: 487, ratings: 23, created_at: '2026-03-02T12:00:00Z',
};
const bo: Account = {
  ...ada, id: 'bo', role: 'driver', username: 'bo', first_name: 'Bo', last_name: 'Lee', rating_x100: 0, ratings: 0,
  vehicle: { class: 'standard', plate: 'HX 1001', make: 'Hyundai', model: 'Ioniq 5', colour: 'white' },
};
const tokens = { access_token: 'a', refresh_token: 'r', expires_at: '2099-01-01T00:00:00Z', expires_in_s: 900 };
const answer = (data: unknown) => Promise.resolve({ data, response: new Response(null, { headers: { 'Content-Type': 'application/json' } }) }) as never;

beforeAll(preparePages);
beforeEach(() => {
  live.riding = false;
  vi.clearAllMocks();
});
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  auth.signOut();
});

/** The profile of someone whom the server may know better by now. */
function show(account: Account, known: Account = account) {
  auth.signIn({ account, tokens } as never);
  const get = answerGets((path) => {
    if (path === '/v1/me') return { data: known };
    if (path === '/v1/config') return { data: { vehicle_classes: [{ class: 'standard', seats: 4 }, { class: 'van', seats: 6 }], map: {}, support_contact: '' } };
    return path === '/v1/me/export' ? { data: new Blob(['{}']) } : undefined;
  });
  return { get, ...showPage('/profile', '/profile', () => <><Notifications /><Profile /></>) };
}

const section = async (name: string) => within(await screen.findByRole('region', { name }));

describe('the profile', () => {
  it('says who one is, by what the server says now', async () => {
    show(ada, { ...ada, rating_x100: 490, ratings: 24 });
    expect(await screen.findByText('4.9 from 24 ratings')).toBeInTheDocument();
    expect(screen.getByText('ada · Joined Mar 2, 2026')).toBeInTheDocument();
    expect(screen.queryByLabelText(/^Plate/)).not.toBeInTheDocument();
  });

  it('has no rating and no alerts for an operator, and says of a driver that there are none yet', async () => {
    show(bo);
    expect(await screen.findByText('No ratings yet')).toBeInTheDocument();
    expect(screen.getByRole('region', { name: 'Alerts' })).toBeInTheDocument();
    cleanup();
    show({ ...ada, role: 'operator' });
    await screen.findByText('Ada Byron');
    expect(screen.queryByText(/from \d+ rating|No ratings yet/)).not.toBeInTheDocument();
    expect(screen.queryByRole('region', { name: 'Alerts' })).not.toBeInTheDocument();
  });

  it('sends names and vehicle tidied, and shows what the server made of them', async () => {
    const patch = vi.spyOn(http, 'PATCH').mockReturnValue(answer({ ...bo, first_name: 'Bea' }));
    const { user } = show(bo);
    const person = await section('Name and vehicle');
    const save = person.getByRole('button', { name: 'Save' });
    expect(save).toBeDisabled();
    await user.clear(person.getByLabelText(/^First name/));
    await user.type(person.getByLabelText(/^First name/), ' Bea ');
    await user.click(save);
    expect(await screen.findByText('Bea Lee')).toBeInTheDocument();
    expect(patch).toHaveBeenCalledExactlyOnceWith('/v1/me', { body: { first_name: 'Bea', last_name: 'Lee', vehicle_class: 'standard', plate: 'HX 1001', vehicle_make: 'Hyundai', vehicle_model: 'Ioniq 5', vehicle_colour: 'white' } });
    expect(await screen.findByText('Saved')).toBeInTheDocument();
  });

  it('asks again for a current password that was wrong, and changes nothing', async () => {
    live.changePassword.mockRejectedValue(new ApiError('unauthenticated', 'no', 401, false));
    const { user } = show(ada);
    const password = await section('Password');
    await user.type(password.getByLabelText('Current password'), 'not it');
    await user.type(password.getByLabelText('New password'), 'seven quiet hills');
    await user.click(password.getByRole('button', { name: 'Change password' }));
    expect(await password.findByText('This isn’t your current password.')).toBeInTheDocument();
    expect(live.changePassword.mock.calls[0]?.[0]).toEqual({ current_password: 'not it', new_password: 'seven quiet hills' });
  });

  it('takes the photo away', async () => {
    const remove = vi.spyOn(http, 'DELETE').mockReturnValue(Promise.resolve({ response: new Response(null, { status: 204 }) }) as never);
    const { user, get } = show({ ...ada, photo_url: '/v1/photos/x' });
    const reads = () => get.mock.calls.filter(([path]) => path === '/v1/me').length;
    await user.click(await screen.findByRole('button', { name: 'Remove' }));
    await waitFor(() => expect(remove).toHaveBeenCalledExactlyOnceWith('/v1/me/photo'));
    await waitFor(() => expect(reads()).toBe(2)); // once when the page came, once after the removal
  });
});

describe('one’s data', () => {
  it('is downloaded as a file', async () => {
    const made = vi.fn(() => 'blob:x');
    vi.stubGlobal('URL', Object.assign(URL, { createObjectURL: made, revokeObjectURL: () => undefined }));
    const names: string[] = [];
    vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function click(this: HTMLAnchorElement) { names.push(this.download); });
    const { user } = show(ada);
    await user.click(await screen.findByRole('button', { name: 'Download my data' }));
    await waitFor(() => expect(names).toEqual(['hexhail-export.json']));
    expect(made).toHaveBeenCalledOnce();
  });

  it('is deleted with the password, which leads to the start', async () => {
    live.deleteAccount.mockResolvedValue(undefined);
    const { user, router } = show(ada);
    await user.click(await screen.findByRole('button', { name: 'Delete account' }));
    const dialog = within(await screen.findByRole('dialog'));
    await user.click(dialog.getByRole('button', { name: 'Delete account' }));
    expect(await dialog.findByText('This field is required.')).toBeInTheDocument();
    expect(live.deleteAccount).not.toHaveBeenCalled();
    await user.type(dialog.getByLabelText('Enter your password to confirm'), 'seven hills');
    await user.click(dialog.getByRole('button', { name: 'Delete account' }));
    await waitFor(() => expect(router.state.location.pathname).toBe('/'));
    expect(live.deleteAccount).toHaveBeenCalledExactlyOnceWith('seven hills');
  });

  it.each([
    ['a wrong password', new ApiError('invalid_argument', 'no', 422, false, { password: 'wrong' }), 'This isn’t your current password.'],
    ['a busy server', new ApiError('unavailable', 'no', 503, true), 'The server is busy. Try again soon.'],
    ['a trip that began meanwhile', new ApiError('trip_active', 'no', 409, false), 'You have a trip in progress. You can delete your account once it has ended.'],
  ])('stays after %s, in words', async (_, refusal, text) => {
    live.deleteAccount.mockRejectedValue(refusal);
    const { user, router } = show(ada);
    await user.click(await screen.findByRole('button', { name: 'Delete account' }));
    const dialog = within(await screen.findByRole('dialog'));
    await user.type(dialog.getByLabelText('Enter your password to confirm'), 'seven hills');
    await user.click(dialog.getByRole('button', { name: 'Delete account' }));
    expect(await dialog.findByText(text)).toBeInTheDocument();
    expect(router.state.location.pathname).toBe('/profile');
  });

  it('cannot be deleted on a trip', async () => {
    live.riding = true;
    const { user } = show(ada);
    await user.click(await screen.findByRole('button', { name: 'Delete account' }));
    const dialog = within(await screen.findByRole('dialog'));
    expect(dialog.getByRole('alert')).toHaveTextContent('You have a trip in progress.');
    expect(dialog.queryByLabelText(/password/)).not.toBeInTheDocument();
  });
});
