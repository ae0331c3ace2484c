import { queryOptions, useQuery } from '@tanstack/react-query';

import { http } from '../shell/auth';
import { call, configuration } from './http';

/** What the server tells everybody: vehicle classes, limits, where maps come from. */
export const serverConfig = queryOptions({
  queryKey: ['config'],
  queryFn: () => call(http.GET('/v1/config')).then(configuration),
  staleTime: Infinity,
});

/** The server's configuration, once it is there. */
export function useServerConfig() {
  return useQuery(serverConfig);
}

/** What visitors should know of a demonstration. Only asked where the server is one. */
export const demonstration = queryOptions({
  queryKey: ['demo'],
  queryFn: () => call(http.GET('/v1/demo')),
  staleTime: Infinity,
});

/** The demonstration that this server is, if it is one. */
export function useDemonstration() {
  const config = useServerConfig();
  return useQuery({ ...demonstration, enabled: config.data?.demo === true });
}

/** How many drivers wait for an operator's decision. Sign-ups are not pushed, so it is asked again from time to time. */
export const waitingCount = queryOptions({
  queryKey: ['ops', 'waiting'],
  queryFn: ({ signal }) => call(http.GET('/v1/admin/waiting-drivers', { signal })),
  refetchInterval: 20_000,
  staleTime: 5000,
});

/** The newest of them, by id: what a list that is open compares itself with. */
export const waitingDrivers = queryOptions({
  queryKey: [...waitingCount.queryKey, 'ids'],
  queryFn: async ({ signal }) => {
    const page = await call(http.GET('/v1/admin/accounts', { signal, params: { query: { role: 'driver', approval: 'pending', limit: 100 } } }));
    return (page.items ?? []).map(({ account }) => account.id);
  },
  refetchInterval: 20_000,
  staleTime: 5000,
});
