import { QueryClient } from '@tanstack/react-query';

import { asApiError } from '../api/problem';

/** What the pages have read from the server. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // What the server said was wrong stays wrong; what it could not do may work later.
      retry: (failures, error) => failures < 3 && navigator.onLine && asApiError(error).retryable,
      // Offline, a page says so instead of waiting for nothing; it fetches again when the network is back.
      networkMode: 'always',
      refetchOnReconnect: true,
      staleTime: 30_000,
    },
  },
});
