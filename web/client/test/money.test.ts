import { describe, expect, test } from 'vitest';
import { currencyDigits, formatMoney, majorUnits } from '../src/index.js';

/** Every currency that this machine's Intl knows, most of which browsers and ISO 4217 agree on. */
const currencies = Intl.supportedValuesOf('currency');
const spaced = (text: string) => text.replaceAll(/\s/g, ' '); // some of Intl's spaces do not break
const digitsIn = (text: string) => (/\d[\d,.]*/.exec(text)?.[0] ?? '').replaceAll(',', '');
const shown = (currency: string, minor: number) => Number(digitsIn(formatMoney({ minor, currency }, 'en')));

describe('money', () => {
  test.each(currencies)('of %s is neither more nor less than it is, in English and Korean', (currency) => {
    for (const minor of [0, 1, 40_000, 123_456]) {
      const whole = minor / 10 ** currencyDigits(currency);
      expect(majorUnits({ minor, currency })).toBe(whole);
      expect(shown(currency, minor)).toBe(whole);
      expect(Number(digitsIn(formatMoney({ minor, currency }, 'ko')))).toBe(whole);
    }
  });

  test('has the decimals of ISO 4217 where browsers have others', () => {
    for (const currency of 'AFN ALL COP HUF IDR IRR KPW LAK LBP MGA MMK PKR SOS SYP YER'.split(' ')) expect([currency, shown(currency, 40_000)]).toEqual([currency, 400]);
    expect(shown('IQD', 40_000)).toBe(40);
  });

  test('has none, three or four decimals where the currency does', () => {
    expect(formatMoney({ minor: 1250, currency: 'USD' }, 'en')).toBe('$12.50');
    expect(formatMoney({ minor: 4800, currency: 'KRW' }, 'en')).toBe('₩4,800');
    expect(formatMoney({ minor: 4800, currency: 'JPY' }, 'en')).toBe('¥4,800');
    expect(spaced(formatMoney({ minor: 1250, currency: 'KWD' }, 'en'))).toBe('KWD 1.250');
    expect(spaced(formatMoney({ minor: 12_500, currency: 'CLF' }, 'en'))).toBe('CLF 1.2500');
  });

  test('is written without decimals where people do, unless there are any', () => {
    expect(spaced(formatMoney({ minor: 40_000, currency: 'HUF' }, 'hu'))).toBe('400 Ft');
    expect(spaced(formatMoney({ minor: 40_050, currency: 'HUF' }, 'hu'))).toBe('400,50 Ft');
    expect(formatMoney({ minor: 1200, currency: 'USD' }, 'en')).toBe('$12.00');
  });

  test('is rounded where there is no room, and shown even of a code that is none', () => {
    expect(formatMoney({ minor: 1250, currency: 'USD' }, 'en', 0)).toBe('$13');
    expect(formatMoney({ minor: 1250, currency: '' }, 'en')).toBe('12.50');
  });
});
