import { cleanup, screen, waitFor } from '@testing-library/react';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { ApiError } from '../../api/problem';
import { answerGets, preparePages, showPage } from '../../test/page';
import LogIn from './LogIn';
import SignUp from './SignUp';

const server = vi.hoisted(() => ({ logIn: vi.fn(), signUp: vi.fn() }));
vi.mock('../../api/auth', async (real) => ({ ...await real<object>(), ...server }));

const config = { vehicle_classes: [{ class: 'standard', seats: 4 }], map: {}, support_contact: 'help@example.org', sign_up_open: true };

beforeAll(preparePages);
beforeEach(() => {
  vi.clearAllMocks();
  answerGets((path) => (path === '/v1/config' ? { data: config } : undefined));
});
afterEach(() => cleanup());

describe('logging in', () => {
  const fill = async (at = '/login') => {
    const { user, router } = showPage('/login', at, LogIn);
    await user.type(await screen.findByLabelText('Username'), ' Ada ');
    await user.type(screen.getByLabelText('Password'), 'seven hills');
    return { user, router, send: () => user.click(screen.getByRole('button', { name: 'Log in' })) };
  };

  it.each([['/login', 'driver', '/drive'], ['/login?next=%2Ftrips%2Ft1', 'driver', '/trips/t1']])('from %s as a %s leads to %s', async (at, role, to) => {
    server.logIn.mockResolvedValue({ id: 'ada', role });
    const { router, send } = await fill(at);
    await send();
    await waitFor(() => expect(router.state.location.pathname).toBe(to));
    expect(server.logIn).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ username: 'Ada', password: 'seven hills' }));
  });

  it('does not say which of name and password is wrong', async () => {
    server.logIn.mockRejectedValue(new ApiError('unauthenticated', 'no', 401, false));
    const { send } = await fill();
    await send();
    expect(await screen.findByRole('alert')).toHaveTextContent(/^Wrong username or password\.$/);
  });

  it('waits as long as the server says', async () => {
    server.logIn.mockRejectedValue(new ApiError('too_many_requests', 'no', 429, true, {}, 90));
    const { send } = await fill();
    await send();
    await waitFor(() => expect(screen.getByRole('button', { name: 'Log in' })).toBeDisabled());
  });

  it('asks for what is missing before it sends anything', async () => {
    const { user } = showPage('/login', '/login', LogIn);
    await user.click(await screen.findByRole('button', { name: 'Log in' }));
    expect(await screen.findAllByText('This field is required.')).not.toHaveLength(0);
    expect(server.logIn).not.toHaveBeenCalled();
  });
});

describe('signing up', () => {
  it('asks drivers for a car, and riders for none', async () => {
    const { user } = showPage('/signup', '/signup?role=driver', SignUp);
    expect(await screen.findByLabelText(/^Plate/)).toBeInTheDocument();
    await user.click(screen.getByText('Ride'));
    expect(screen.queryByLabelText(/^Plate/)).not.toBeInTheDocument();
  });

  it('puts what the server refuses beside the field', async () => {
    server.signUp.mockRejectedValue(new ApiError('username_taken', 'taken', 409, false));
    const { user } = showPage('/signup', '/signup', SignUp);
    await user.type(await screen.findByLabelText(/^First name/), 'Ada');
    await user.type(screen.getByLabelText(/^Last name/), 'Byron');
    await user.type(screen.getByLabelText(/^Username/), 'ada');
    await user.type(screen.getByLabelText(/^Password/), 'seven quiet hills');
    await user.click(screen.getByRole('button', { name: 'Sign up' }));
    expect(await screen.findByText('This username is taken.')).toBeInTheDocument();
    expect(server.signUp).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ role: 'rider', username: 'ada' }), null);
  });

  it('says whom to ask where it is closed', async () => {
    answerGets((path) => (path === '/v1/config' ? { data: { ...config, sign_up_open: false } } : undefined));
    showPage('/signup', '/signup', SignUp);
    expect(await screen.findByText('Sign-up is closed on this server. Ask the operator for an account.')).toBeInTheDocument();
    expect(screen.queryByLabelText(/^Username/)).not.toBeInTheDocument();
  });
});
