import { GaveUpError, ProtocolError, QueueFullError } from '@hexhail/client';
import { useCallback, useState } from 'react';

/** Keys of the texts under "problem". */
export type ProblemText =
  | 'pin_required' | 'wrong_pin' | 'pin_locked' | 'offer_taken' | 'offer_closed' | 'driver_busy' | 'wrong_status' | 'not_found' | 'already_rated'
  | 'too_far' | 'position_unknown' | 'approval_pending' | 'approval_refused' | 'too_many_requests' | 'unavailable' | 'gaveUp' | 'queueFull' | 'other';

const known: ReadonlySet<string> = new Set<ProblemText>([
  'pin_required', 'wrong_pin', 'pin_locked', 'offer_taken', 'offer_closed', 'driver_busy', 'wrong_status', 'not_found', 'already_rated',
  'too_far', 'position_unknown', 'approval_pending', 'approval_refused', 'too_many_requests', 'unavailable',
]);

export interface Problem {
  readonly text: ProblemText;
  /** The protocol's code, where there is one. */
  readonly code: string;
  /** When to try again, in seconds; 0: no opinion. */
  readonly retryAfterS: number;
}

/** What went wrong with a command; null when nothing did: the person, or the page, ended the wait. */
export function problemOf(e: unknown): Problem | null {
  if (e instanceof ProtocolError) {
    const text = known.has(e.code) ? (e.code as ProblemText) : 'other';
    return { text, code: e.code, retryAfterS: Math.ceil(e.retryAfterMs / 1000) };
  }
  if (e instanceof GaveUpError) return e.why === 'deadline' ? { text: 'gaveUp', code: '', retryAfterS: 0 } : null;
  if (e instanceof QueueFullError) return { text: 'queueFull', code: '', retryAfterS: 0 };
  return { text: 'other', code: e instanceof Error ? e.message : String(e), retryAfterS: 0 };
}

export interface Command {
  readonly busy: boolean;
  readonly problem: Problem | null;
  /** Runs it, unless it runs already; resolves to whether it worked. */
  readonly run: (work: () => Promise<unknown>) => Promise<boolean>;
  readonly clear: () => void;
}

/** Runs one command at a time, and keeps what became of it for the page to show. */
export function useCommand(): Command {
  const [state, setState] = useState<{ busy: boolean; problem: Problem | null }>({ busy: false, problem: null });
  const run = useCallback(async (work: () => Promise<unknown>) => {
    setState({ busy: true, problem: null });
    try {
      await work();
      setState({ busy: false, problem: null });
      return true;
    } catch (e) {
      setState({ busy: false, problem: problemOf(e) });
      return false;
    }
  }, []);
  const clear = useCallback(() => setState((s) => (s.problem ? { ...s, problem: null } : s)), []);
  return { ...state, run, clear };
}
