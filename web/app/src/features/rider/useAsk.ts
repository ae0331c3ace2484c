import { GaveUpError } from '@hexhail/client';
import { useRef, useState } from 'react';

import { useSession, useSessionEvent } from '../../lib/session';
import { codeOf } from '../../lib/trip/problem';
import { requestOf, type WholeDraft } from './draft';

/** Asking for rides. */
export interface Asking {
  /** Asks for a ride. Each call is a new command, so that a second try is not taken for the first. */
  readonly ask: (draft: WholeDraft, vehicleClass: string, onAsked?: () => void) => void;
  /** Why the last try failed, as a stable word. */
  readonly problem: string | null;
  /** Calls off what was asked in this page; null when that is not possible. What was sent already, counts, and shows. */
  readonly callOff: (() => void) | null;
}

export function useAsk(): Asking {
  const session = useSession();
  const [problem, setProblem] = useState<string | null>(null);
  const [underWay, setUnderWay] = useState<AbortController | null>(null);
  const newest = useRef<AbortController | null>(null);

  // A request from before a reload has no caller that could report it.
  useSessionEvent('restored', ({ kind, error }) => {
    if (kind === 'request_trip' && error) setProblem(codeOf(error));
  });

  const ask: Asking['ask'] = (draft, vehicleClass, onAsked) => {
    const controller = new AbortController();
    newest.current = controller;
    setUnderWay(controller);
    setProblem(null);
    session.requestTrip(requestOf(draft, vehicleClass), { signal: controller.signal })
      .then(onAsked, (e: unknown) => {
        // A rider who cancelled in time knows. Otherwise say what happened, also that the request may have got through.
        if (!(e instanceof GaveUpError && e.why === 'aborted' && !e.sent)) setProblem(codeOf(e));
      })
      .finally(() => {
        if (newest.current === controller) setUnderWay(null);
      });
  };
  return { ask, problem, callOff: underWay ? () => underWay.abort() : null };
}
