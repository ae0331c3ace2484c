import i18next from 'i18next';

// Times as operators need them: to the second, and short where they can be.

const language = (): string => i18next.resolvedLanguage ?? 'en';

/** A time of day with seconds: 15:07:12. */
export function clock(at: string | Date): string {
  return new Intl.DateTimeFormat(language(), { timeStyle: 'medium', hourCycle: 'h23' }).format(new Date(at));
}

/** A day and time with seconds; the year is left out where it is this one. */
export function stamp(at: string | Date, now = new Date()): string {
  const then = new Date(at);
  return new Intl.DateTimeFormat(language(), {
    month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23',
    ...(then.getFullYear() === now.getFullYear() ? {} : { year: 'numeric' }),
  }).format(then);
}

/** A day without its time; the year is left out where it is this one. */
export function dayOf(at: string | Date, now = new Date()): string {
  const then = new Date(at);
  return new Intl.DateTimeFormat(language(), { month: 'short', day: 'numeric', ...(then.getFullYear() === now.getFullYear() ? {} : { year: 'numeric' }) }).format(then);
}

/** A time with seconds, with its day where that is not today. */
export function recent(at: string | Date, now = new Date()): string {
  const then = new Date(at);
  return then.toDateString() === now.toDateString() ? clock(then) : stamp(then, now);
}

/** How long something took, from milliseconds: 0.1 sec, 14 sec, 2 min 5 sec, 1 hr 2 min. */
export function took(ms: number): string {
  const unit = (value: number, name: 'second' | 'minute' | 'hour', digits = 0) =>
    new Intl.NumberFormat(language(), { style: 'unit', unit: name, unitDisplay: 'short', maximumFractionDigits: digits }).format(value);
  const positive = Math.max(0, ms);
  if (positive < 9950) return unit(positive / 1000, 'second', positive < 1000 ? 2 : 1);
  const seconds = Math.round(positive / 1000);
  if (seconds < 60) return unit(seconds, 'second');
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return withRest(unit(minutes, 'minute'), seconds % 60, (s) => unit(s, 'second'));
  return withRest(unit(Math.floor(minutes / 60), 'hour'), minutes % 60, (m) => unit(m, 'minute'));
}

function withRest(text: string, rest: number, format: (n: number) => string): string {
  return rest === 0 ? text : `${text} ${format(rest)}`;
}

/** Milliseconds between two instants. */
export function between(from: string, to: string | Date): number {
  return new Date(to).getTime() - new Date(from).getTime();
}

/** An instant as a field for local times shows it, and the other way. */
export function toField(at: string | undefined): string {
  if (!at) return '';
  const d = new Date(at);
  return new Date(d.getTime() - d.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export function fromField(value: string): string | undefined {
  const at = value ? new Date(value) : null;
  return at && !Number.isNaN(at.getTime()) ? at.toISOString() : undefined;
}
