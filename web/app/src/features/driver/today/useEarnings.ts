import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';

import { call } from '../../../api/http';
import { http, useAccount } from '../../../api/auth';
import { keys } from '../../../api/queries';
import { useSessionEvent } from '../../../lib/session';
import { collectSince, type Trip } from './earnings';

/** Days that the earnings show. */
export const shownDays = 7;

/** The time zone of the person's device. */
export const ownTimeZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The driver's completed trips of the last days; read again when a trip ends. */
export function useEarnings() {
  const id = useAccount()?.id;
  const queries = useQueryClient();
  useSessionEvent('tripEnded', useCallback(() => void queries.invalidateQueries({ queryKey: keys.earnings() }), [queries]));
  return useQuery({
    queryKey: keys.earnings(id),
    queryFn: ({ signal }): Promise<readonly Trip[]> => {
      // One day more: the first day shown began up to a day before its last trip.
      const since = new Date(Date.now() - (shownDays + 1) * 24 * 3600 * 1000);
      return collectSince(since, async (cursor) => {
        const page = await call(http.GET('/v1/trips', { signal, params: { query: { status: 'completed', limit: 200, ...(cursor ? { cursor } : {}) } } }));
        return { items: page.items ?? [], next: page.next_cursor };
      });
    },
  });
}
