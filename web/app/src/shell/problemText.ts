import i18next from 'i18next';

import { asApiError } from '../api/problem';
import { duration } from './format';

/** What went wrong with a call, in the chosen language, and how long to wait if the server said. */
export function problemText(error: unknown): string {
  const e = asApiError(error);
  // Stands for all codes; the next line looks whether there is a text for this one.
  const key = `shell:problem.${e.code}` as 'shell:problem.network';
  const text = i18next.exists(key) ? i18next.t(key) : i18next.t('shell:problem.unknown', { detail: e.message });
  if (e.retryAfter === null || e.retryAfter < 1) return text;
  return `${text} ${i18next.t('shell:problem.wait', { wait: duration(e.retryAfter) })}`;
}
