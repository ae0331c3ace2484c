import i18next from 'i18next';

import { asApiError } from '../api/problem';
import { duration } from './format';

/** What went wrong with a call, in the chosen language, and how long to wait if the server said. */
export function problemText(error: unknown): string {
  const e = asApiError(error);
  const t = i18next.getFixedT(null, 'shell');
  const key = `problem.${e.code}`;
  // Not every code has a text of its own; the types know those that have.
  const text = i18next.exists(key, { ns: 'shell' }) ? t(key as 'problem.network') : t('problem.unknown', { detail: e.message });
  if (e.retryAfter === null || e.retryAfter < 1) return text;
  return `${text} ${t('problem.wait', { wait: duration(e.retryAfter) })}`;
}
