import type { ActorKind } from '@hexhail/client';
import { describe, expect, it } from 'vitest';

import { addTrend, sparkline, type Trends } from './trend';

const kind = (name: string, messages_per_s: number) => ({ kind: name, messages_per_s }) as ActorKind;

describe('trends', () => {
  it('keep the last two minutes of each kind', () => {
    let trends: Trends = new Map();
    for (let i = 0; i < 70; i++) trends = addTrend(trends, [kind('trip', i), kind('cell', 1)]);
    expect(trends.get('trip')?.length).toBe(60);
    expect([trends.get('trip')?.[0], trends.get('trip')?.at(-1), trends.get('cell')?.at(-1)]).toEqual([10, 69, 1]);
  });

  it('are lines from left to right, the most at the top', () => {
    expect(sparkline([0, 5, 10], 100, 20)).toBe('0.0,20.0 50.0,10.0 100.0,0.0');
    expect(sparkline([3], 100, 20)).toBe('0.0,0.0 100.0,0.0');
    expect(sparkline([0, 0], 100, 20)).toBe('0.0,20.0 100.0,20.0');
  });
});
