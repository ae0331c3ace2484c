import { useQuery } from '@tanstack/react-query';

import { call, type Schemas } from '../api/http';
import { http } from '../shell/auth';
import { useMapSettings } from '../map';

/** What a demonstration tells its visitors; undefined on ordinary servers, and until known. */
export function useDemo(): { readonly known: boolean; readonly demo: Schemas['Demonstration'] | undefined } {
  const server = useMapSettings();
  const about = useQuery({
    queryKey: ['demo'], enabled: server.demo, staleTime: Infinity,
    queryFn: () => call(http.GET('/v1/demo')),
  });
  return { known: server.known && (!server.demo || about.data !== undefined || about.isError), demo: about.data };
}
