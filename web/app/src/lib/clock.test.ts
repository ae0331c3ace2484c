import { describe, expect, it } from 'vitest';

import { clockText } from './clock';

describe('seconds on a clock', () => {
  it('have minutes, and hours from the first on', () => {
    expect([0, 9, 65, 3599, 3600, 3723].map(clockText)).toEqual(['0:00', '0:09', '1:05', '59:59', '1:00:00', '1:02:03']);
  });
});
