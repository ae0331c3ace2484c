import { createClient, type Client, type ClientOptions, type ConnectionState } from '@hexhail/client';

import { auth, endedBySocket } from '../api/auth';

/**
 * Makes a connection to this server in the name of the log-in. It renews the log-in's tokens, and ends the log-in in this
 * browser when the server says that it is over; the guards then lead to the log-in page. The caller starts and stops it.
 */
export function connect(options: Pick<ClientOptions, 'name' | 'persistence'>): Client {
  /** The token sent last. A renewal names the one that the server refused, so that a newer one of another tab is used first. */
  let token: string | null = null;
  const client = createClient({
    ...options,
    url: `${location.origin.replace(/^http/, 'ws')}/v1/ws`,
    credentials: async ({ fresh }) => {
      token = fresh && token !== null ? await auth.replace(token) : await auth.accessToken();
      return token === null ? null : { token };
    },
  });
  const leaveIfRefused = async (state: ConnectionState) => {
    if (state.status !== 'refused' || (state.code !== 'unauthenticated' && state.code !== 'revoked')) return;
    if ((await endedBySocket(token)) === 'go on') client.connectNow();
  };
  client.on('state', (state) => void leaveIfRefused(state));
  return client;
}
