import { expect, it } from 'vitest';

import { deviceSecret } from './device';

it('a browser has one secret, and another browser another', () => {
  const storage = () => {
    const stored = new Map<string, string>();
    return { getItem: (k: string) => stored.get(k) ?? null, setItem: (k: string, v: string) => void stored.set(k, v) };
  };
  const [one, two] = [storage(), storage()];
  const secret = deviceSecret(one);
  expect(secret).toMatch(/^[0-9a-f]{32}$/);
  expect(deviceSecret(one)).toBe(secret);
  expect(deviceSecret(two)).not.toBe(secret);
  two.setItem('hexhail.device', 'short');
  expect(deviceSecret(two)).toMatch(/^[0-9a-f]{32}$/);
  const full = { getItem: () => null, setItem: () => { throw new Error('full'); } };
  expect(deviceSecret(full)).toMatch(/^[0-9a-f]{32}$/);
});
