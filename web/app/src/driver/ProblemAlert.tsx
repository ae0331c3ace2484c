import { Alert } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { duration } from '../shell/format';
import type { Problem } from './useCommand';

/** What went wrong, in words. */
export function ProblemAlert({ problem }: { problem: Problem | null }) {
  const { t } = useTranslation('driver');
  if (!problem) return null;
  return (
    <Alert color="orange" role="alert" p="xs" icon={<IconAlertTriangle size={18} />}>
      {t(`problem.${problem.text}`, { code: problem.code })}
      {problem.retryAfterS > 0 && ` ${t('problem.wait', { wait: duration(problem.retryAfterS) })}`}
    </Alert>
  );
}
