import i18next from 'i18next';

import { asApiError } from '../api/problem';
import type shell from '../locales/en/shell.json';
import { duration } from './format';

type Told = Exclude<keyof typeof shell.problem, 'unknown' | 'wait'>;

/** What went wrong with a call, in the chosen language, and how long to wait if the server said. */
export function problemText(error: unknown): string {
  const e = asApiError(error);
  const key = `shell:problem.${e.code as Told}` as const;
  const text = i18next.exists(key) ? i18next.t(key as 'shell:problem.network') : i18next.t('shell:problem.unknown', { detail: e.message });
  if (e.retryAfter === null || e.retryAfter < 1) return text;
  return `${text} ${i18next.t('shell:problem.wait', { wait: duration(e.retryAfter) })}`;
}
