import { describe, expect, it } from 'vitest';

import { money, shortMoney } from './format';

const plain = (text: string) => text.replaceAll(/\s/g, ' ');

describe('money on the pages', () => {
  it('has the decimals of its currency, not those of the browser', () => {
    expect(plain(money({ minor: 40_000, currency: 'HUF' }))).toBe('HUF 400');
    expect(plain(money({ minor: 944, currency: 'USD' }))).toBe('$9.44');
    expect(plain(money({ minor: 4800, currency: 'KRW' }))).toBe('₩4,800');
    expect(plain(money({ minor: 1250, currency: 'KWD' }))).toBe('KWD 1.250');
  });

  it('is short over the bars of a chart, unless there is hardly any', () => {
    expect(plain(shortMoney({ minor: 123_450, currency: 'USD' }))).toBe('$1,235');
    expect(plain(shortMoney({ minor: 4_000_000, currency: 'IDR' }))).toBe('IDR 40,000');
    expect(plain(shortMoney({ minor: 750, currency: 'KWD' }))).toBe('KWD 0.75');
  });
});
