import i18next from 'i18next';

const language = (): string => i18next.resolvedLanguage ?? 'en';

/** A time of day to the second: 15:07:09. */
export const time = (at: number | string): string => new Intl.DateTimeFormat(language(), { timeStyle: 'medium', hourCycle: 'h23' }).format(new Date(at));

/** Seconds, for comparing: 2.4 s, 38 s. */
export function seconds(value: number): string {
  return new Intl.NumberFormat(language(), {
    style: 'unit', unit: 'second', unitDisplay: 'narrow', maximumFractionDigits: value < 10 ? 1 : 0,
  }).format(value);
}

/** Microseconds, in the unit that suits them: 80 µs, 2.5 ms, 1.2 s. */
export function micros(value: number): string {
  if (value >= 1e6) return seconds(value / 1e6);
  const unit = value >= 1000 ? 'millisecond' : 'microsecond';
  const shown = value >= 1000 ? value / 1000 : value;
  return new Intl.NumberFormat(language(), {
    style: 'unit', unit, unitDisplay: 'narrow', maximumFractionDigits: shown < 10 ? 1 : 0,
  }).format(shown);
}

/** The end of an id; the part before it only encodes the time. */
export const shortId = (id: string): string => id.slice(-8);
