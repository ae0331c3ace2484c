import { formatMoney, majorUnits, type Money } from '@hexhail/client';
import i18next from 'i18next';

// Everything shown of time, distance and money goes through here, in the chosen language.

const language = (): string => i18next.resolvedLanguage ?? 'en';

/** Money in minor units (cents), such as $12.50, with the decimals that ISO 4217 gives its currency. */
export function money(amount: Money): string {
  return formatMoney(amount, language());
}

/** Money where there is little room: without its cents, unless it is little. */
export function shortMoney(amount: Money): string {
  return formatMoney(amount, language(), majorUnits(amount) < 10 ? 2 : 0);
}

/** A distance in metres: 350 m, 4.2 km. */
export function distance(metres: number): string {
  const far = metres >= 1000;
  return new Intl.NumberFormat(language(), {
    style: 'unit',
    unit: far ? 'kilometer' : 'meter',
    maximumFractionDigits: far && metres < 10_000 ? 1 : 0,
  }).format(far ? metres / 1000 : Math.round(metres / 10) * 10);
}

/** A duration in seconds, for people who wait: 40 sec, 4 min, 1 hr 5 min. */
export function duration(seconds: number): string {
  const unit = (value: number, u: 'second' | 'minute' | 'hour') =>
    new Intl.NumberFormat(language(), { style: 'unit', unit: u, unitDisplay: 'short' }).format(value);
  if (seconds < 60) return unit(Math.max(0, Math.round(seconds)), 'second');
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return unit(minutes, 'minute');
  const rest = minutes % 60;
  return rest === 0 ? unit(minutes / 60, 'hour') : `${unit(Math.floor(minutes / 60), 'hour')} ${unit(rest, 'minute')}`;
}

/** A time of day: 3:07 PM. */
export function timeOfDay(at: Date | string): string {
  return new Intl.DateTimeFormat(language(), { timeStyle: 'short' }).format(new Date(at));
}

/** A day and time: Nov 22, 2026, 3:07 PM. */
export function dateAndTime(at: Date | string): string {
  return new Intl.DateTimeFormat(language(), { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(at));
}

/** A day: Nov 22, 2026. */
export function day(at: Date | string): string {
  return new Intl.DateTimeFormat(language(), { dateStyle: 'medium' }).format(new Date(at));
}

/** A plain number with the language's separators. */
export function number(value: number, maximumFractionDigits = 0): string {
  return new Intl.NumberFormat(language(), { maximumFractionDigits }).format(value);
}

/** Mean stars from their hundredfold: 4.87. Null while unrated. */
export function stars(timesHundred: number): string | null {
  if (timesHundred <= 0) return null;
  return new Intl.NumberFormat(language(), { minimumFractionDigits: 1, maximumFractionDigits: 2 }).format(timesHundred / 100);
}
