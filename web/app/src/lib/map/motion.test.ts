import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { distanceBetween, offsetBy } from './geo';
import type { Pose } from './glide';
import { Motion } from './motion';
import { createPositionStore } from './positions';
import { measure } from './way';

const a = { lat: 40.75, lng: -73.98 };
const corner = offsetBy(a, 100, 0);
const b = offsetBy(corner, 100, 90);

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'requestAnimationFrame', 'cancelAnimationFrame', 'setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

describe('a car in motion', () => {
  it('is drawn in the same place for all who draw it, along its way, until it stands', () => {
    const store = createPositionStore(a);
    const motion = new Motion(store, false);
    const seen: (Pose | null)[] = [];
    const others: (Pose | null)[] = [];
    const ends = [motion.subscribe((p) => seen.push(p)), motion.subscribe((p) => others.push(p))];
    motion.take(measure([a, corner, b]));
    vi.advanceTimersByTime(1000);
    store.set(b);
    vi.advanceTimersByTime(400);
    expect(seen.at(-1)).toEqual(others.at(-1));
    expect(Math.min(...seen.map((p) => distanceBetween(p?.point ?? a, corner)))).toBeLessThan(100);
    vi.advanceTimersByTime(1000);
    expect(distanceBetween(seen.at(-1)?.point ?? a, b)).toBeLessThan(0.5);
    const drawn = seen.length;
    vi.advanceTimersByTime(5000);
    expect(seen).toHaveLength(drawn);
    ends.forEach((end) => end());
    store.set(a);
    vi.advanceTimersByTime(1000);
    expect(seen).toHaveLength(drawn);
  });

  it('jumps for people who want less movement, and is nowhere without a position', () => {
    const store = createPositionStore(a);
    const motion = new Motion(store, true);
    const seen: (Pose | null)[] = [];
    motion.subscribe((p) => seen.push(p));
    vi.advanceTimersByTime(1000);
    store.set(b);
    vi.advanceTimersByTime(20);
    expect(seen.at(-1)?.point.lat).toBeCloseTo(b.lat, 6);
    store.set(null);
    vi.advanceTimersByTime(20);
    expect(seen.at(-1)).toBeNull();
  });
});
