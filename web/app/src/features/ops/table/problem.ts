import i18next from 'i18next';

import { asApiError } from '../../../api/problem';
import { problemText } from '../../../lib/problemText';

/** What went wrong with an operator's call, in the chosen language. */
export function opsProblemText(error: unknown): string {
  return known(asApiError(error).code) ?? problemText(error);
}

/** A code of the API in words, or itself. */
export function codeText(code: string): string {
  return known(code) ?? (i18next.exists(`shell:problem.${code}`) ? i18next.t(`shell:problem.${code as 'unavailable'}`) : code);
}

function known(code: string): string | null {
  const key = `trips.problem.${code as 'wrong_status'}` as const;
  return i18next.exists(`ops:${key}`) ? i18next.t(key, { ns: 'ops' }) : null;
}
