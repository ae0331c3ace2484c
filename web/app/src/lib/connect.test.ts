import type { ClientOptions, ConnectionState } from '@hexhail/client';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { connect } from './connect';

const fake = vi.hoisted(() => ({
  options: undefined as ClientOptions | undefined,
  onState: undefined as ((state: ConnectionState) => void) | undefined,
  connectNow: vi.fn(),
  accessToken: vi.fn(() => Promise.resolve<string | null>('first')),
  replace: vi.fn(() => Promise.resolve<string | null>('second')),
  endedBySocket: vi.fn(() => Promise.resolve<'logged out' | 'go on'>('logged out')),
}));

vi.mock('@hexhail/client', () => ({
  createClient: (options: ClientOptions) => {
    fake.options = options;
    return { on: (_: 'state', listener: (state: ConnectionState) => void) => { fake.onState = listener; }, connectNow: fake.connectNow };
  },
}));
vi.mock('../api/auth', () => ({ auth: { accessToken: fake.accessToken, replace: fake.replace }, endedBySocket: fake.endedBySocket }));

const credentials = (fresh: boolean) => fake.options?.credentials({ fresh });
const refused = (code: string) => fake.onState?.({ status: 'refused', code, detail: '' } as unknown as ConnectionState);

beforeEach(() => {
  vi.clearAllMocks();
  connect({ name: 'test' });
});

describe('a connection', () => {
  it('goes to this server, and to its TLS where the page came by TLS', () => {
    expect(fake.options?.url).toBe(`${location.origin.replace('http', 'ws')}/v1/ws`);
  });

  it('sends the log-in’s token, and renews the one that was refused', async () => {
    expect(await credentials(false)).toEqual({ token: 'first' });
    expect(await credentials(true)).toEqual({ token: 'second' });
    expect(fake.replace).toHaveBeenCalledExactlyOnceWith('first');
  });

  it('has no credentials once the log-in is gone', async () => {
    fake.accessToken.mockResolvedValueOnce(null);
    expect(await credentials(true)).toBeNull();
    expect(fake.replace).not.toHaveBeenCalled();
  });

  it.each(['unauthenticated', 'revoked'])('that is refused as %s ends the log-in that it was made with', async (code) => {
    await credentials(false);
    refused(code);
    await vi.waitFor(() => expect(fake.endedBySocket).toHaveBeenCalledExactlyOnceWith('first'));
    expect(fake.connectNow).not.toHaveBeenCalled();
  });

  it('goes on with newer tokens', async () => {
    fake.endedBySocket.mockResolvedValueOnce('go on');
    refused('revoked');
    await vi.waitFor(() => expect(fake.connectNow).toHaveBeenCalledOnce());
  });

  it('keeps the log-in when it is refused for another reason', () => {
    refused('unsupported_version');
    expect(fake.endedBySocket).not.toHaveBeenCalled();
  });
});
