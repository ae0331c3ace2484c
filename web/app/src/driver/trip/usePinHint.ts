import type { WholeTrip } from '@hexhail/client';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { call } from '../../api/http';
import { http } from '../../shell/auth';

const askedKey = 'hexhail.drive.pin';

/** What a simulated rider says when the driver has arrived: their PIN, empty where none is asked for. */
export function usePinHint(trip: WholeTrip, demo: boolean): string | undefined {
  return useQuery({
    queryKey: ['demo', 'hint', trip.id], enabled: demo && trip.status === 'arrived', staleTime: Infinity, retry: false,
    queryFn: () => call(http.GET('/v1/demo/trips/{id}/hint', { params: { path: { id: trip.id } } })),
  }).data?.pin;
}

/**
 * Whether this server asks for PINs. Nobody tells drivers; a start without one does, and then it is remembered, so that
 * the next trip begins with the question.
 */
export function usePinAsked(): [asked: boolean, remember: () => void] {
  const [asked, setAsked] = useState(() => localStorage.getItem(askedKey) === 'yes');
  return [asked, () => {
    localStorage.setItem(askedKey, 'yes');
    setAsked(true);
  }];
}
