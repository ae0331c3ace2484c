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
