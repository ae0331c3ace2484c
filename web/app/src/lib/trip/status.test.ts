import { describe, expect, it } from 'vitest';

import { endedStatuses, hasEnded, liveStatuses, ofNewerServer, statuses, type Status } from './status';

describe('the statuses', () => {
  it('are in the order of a trip’s life, each live or ended', () => {
    expect(statuses).toEqual(['requested', 'matched', 'arrived', 'in_progress', 'completed', 'cancelled', 'expired']);
    expect([...liveStatuses, ...endedStatuses]).toEqual(statuses);
  });

  it.each(statuses)('%s has ended if it is among the ended', (status) => {
    expect(hasEnded({ status })).toBe(endedStatuses.some((ended) => ended === status));
  });

  it('of a newer server are taken as nothing that the app knows', () => {
    const unknown = 'paused' as Status;
    expect(hasEnded({ status: unknown })).toBe(false);
    expect(ofNewerServer(unknown as never, 'otherwise')).toBe('otherwise');
  });
});
