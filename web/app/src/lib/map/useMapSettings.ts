import { useQuery } from '@tanstack/react-query';

import { demoPlaces, useServerConfig } from '../../api/queries';
import type { MapSettings } from './basemap';

/** What the server says about maps. */
export interface ServerMap {
  /** Whether the server has answered, or cannot. */
  readonly known: boolean;
  /** The operator's tiles; undefined until known. */
  readonly settings: MapSettings | undefined;
  /** Whether the server is a demonstration, which has places of its own. */
  readonly demo: boolean;
}

/** Asks the server once what maps are drawn from, and whether it has places of its own. */
export function useMapSettings(): ServerMap {
  const config = useServerConfig();
  return { known: !config.isPending, settings: config.data?.map, demo: config.data?.demo === true };
}

/** The demonstration's own pickups, as [lat, lng, lat, lng …]. Undefined where there are none. */
export function usePlaces(demo: boolean): readonly number[] | undefined {
  return useQuery({ ...demoPlaces, enabled: demo }).data?.points ?? undefined;
}
