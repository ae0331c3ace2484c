import { Alert } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { useServerConfig } from '../../api/queries';
import { distance, duration } from '../../lib/format';
import type { TripEnd } from './trip/far';
import type { Problem } from './useCommand';

/** What went wrong, in words. */
export function ProblemAlert({ problem, end }: { problem: Problem | null; end?: TripEnd }) {
  const { t } = useTranslation('driver');
  const config = useServerConfig().data;
  if (!problem) return null;
  const limit = (end === 'dropoff' ? config?.complete_within_m : config?.arrive_within_m) ?? 0;
  return (
    <Alert color="orange" role="alert" p="xs" icon={<IconAlertTriangle size={18} />}>
      {problem.text === 'too_far' ? tooFar(t, end ?? 'pickup', limit) : t(`problem.${problem.text}`, { code: problem.code })}
      {problem.retryAfterS > 0 && ` ${t('problem.wait', { wait: duration(problem.retryAfterS) })}`}
    </Alert>
  );
}

function tooFar(t: ReturnType<typeof useTranslation<'driver'>>['t'], end: TripEnd, limit: number): string {
  return limit > 0 ? t(`problem.tooFarBy.${end}`, { distance: distance(limit) }) : t('problem.too_far');
}
