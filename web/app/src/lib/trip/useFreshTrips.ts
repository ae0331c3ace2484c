import { useQueryClient } from '@tanstack/react-query';

import { keys } from '../../api/queries';
import { useSessionEvent } from '../session';

/** Fetches what is known of trips again when one of them has ended. */
export function useFreshTrips(): void {
  const queries = useQueryClient();
  const refresh = () => void queries.invalidateQueries({ queryKey: keys.trips });
  useSessionEvent('tripEnded', refresh);
  useSessionEvent('tripGone', refresh);
}
