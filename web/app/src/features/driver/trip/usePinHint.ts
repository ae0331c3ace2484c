import type { WholeTrip } from '@hexhail/client';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { call } from '../../../api/http';
import { keys, useServerConfig } from '../../../api/queries';
import { http } from '../../../api/auth';

/** What a simulated rider says when the driver has arrived: their PIN, empty where none is asked for. */
export function usePinHint(trip: WholeTrip, demo: boolean): string | undefined {
  return useQuery({
    queryKey: keys.pinHint(trip.id), enabled: demo && trip.status === 'arrived', staleTime: Infinity, retry: false,
    queryFn: () => call(http.GET('/v1/demo/trips/{id}/hint', { params: { path: { id: trip.id } } })),
  }).data?.pin;
}

/**
 * Whether this trip begins with a PIN: the server says what its trips do. Only a trip requested before the operator
 * changed that differs; a start without a PIN reveals it, which is remembered as long as the trip is shown.
 */
export function usePinAsked(): [asked: boolean, remember: () => void] {
  const pins = useServerConfig().data?.trip_pin ?? false;
  const [learnt, setLearnt] = useState(false);
  return [pins || learnt, () => setLearnt(true)];
}
