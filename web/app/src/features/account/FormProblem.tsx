import { Alert } from '@mantine/core';
import { IconAlertCircle } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { ApiError } from '../../api/problem';
import { duration } from '../../lib/format';
import { problemText } from '../../lib/problemText';

/** What a form's last try came to, read aloud at once. */
export function FormProblem({ error, wait }: { error: unknown; wait: number }) {
  const { t } = useTranslation('shell');
  if (!error) return null;
  const withoutWait = error instanceof ApiError && error.retryAfter !== null
    ? new ApiError(error.code, error.message, error.status, error.retryable, error.fields)
    : error;
  return (
    <Alert color="red" icon={<IconAlertCircle />} role="alert">
      {problemText(withoutWait)}
      {wait > 0 && <span aria-hidden="true"> {t('problem.wait', { wait: duration(wait) })}</span>}
    </Alert>
  );
}

/** Seconds until the server wants to hear of this form again; 0 when it may be sent. */
export function useWait(error: unknown): number {
  const asked = error instanceof ApiError ? (error.retryAfter ?? 0) : 0;
  const ends = error instanceof ApiError ? error.at + asked * 1000 : 0;
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    if (asked <= 0) return undefined;
    const ticking = setInterval(() => setNow(performance.now()), 500);
    return () => clearInterval(ticking);
  }, [error, asked]);
  return Math.max(0, Math.min(asked, Math.ceil((ends - now) / 1000)));
}
