import type { Money } from './gen/messages.js';

// The currencies of ISO 4217 whose minor unit does not have two decimals: the exceptions of the server's own table,
// which GET /v1/config serves whole as `currency_digits`.
const exceptions: Readonly<Record<number, string>> = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF',
  3: 'BHD IQD JOD KWD LYD OMR TND',
  4: 'CLF UYW',
};
const digitsOf = new Map(Object.entries(exceptions).flatMap(([digits, codes]) => codes.split(' ').map((code) => [code, Number(digits)] as const)));

/**
 * How many decimals a currency's minor unit has by ISO 4217, such as 2 for USD and 0 for JPY. Not what `Intl` says: that
 * has the decimals of shops, so 0 for HUF, IDR, COP and others, and would show an amount a hundred times too high.
 */
export function currencyDigits(currency: string): number {
  return digitsOf.get(currency) ?? 2;
}

/** The amount in whole units, such as 12.5 for 1250 cents; for sums and charts, not for more accounting. */
export function majorUnits({ minor, currency }: Money): number {
  return minor / 10 ** currencyDigits(currency);
}

/**
 * Money for people, such as $12.50, in the form of a language (a BCP 47 tag; default: the device's). Currencies that are
 * commonly written without decimals are, as long as the amount is whole: 400 Ft, but 400.50 Ft. With
 * `maximumFractionDigits` the amount is rounded to fewer decimals, where there is no room for all.
 */
export function formatMoney(money: Money, language?: string, maximumFractionDigits?: number): string {
  const amount = majorUnits(money);
  const digits = Math.min(currencyDigits(money.currency), maximumFractionDigits ?? Infinity);
  try {
    const common = new Intl.NumberFormat(language, { style: 'currency', currency: money.currency });
    return new Intl.NumberFormat(language, {
      style: 'currency', currency: money.currency, minimumFractionDigits: digits, maximumFractionDigits: digits,
      trailingZeroDisplay: (common.resolvedOptions().maximumFractionDigits ?? 2) < digits ? 'stripIfInteger' : 'auto',
    }).format(amount);
  } catch {
    // No code of three letters: an outside system's mistake must not blank a page.
    return `${amount.toFixed(digits)} ${money.currency}`.trim();
  }
}
