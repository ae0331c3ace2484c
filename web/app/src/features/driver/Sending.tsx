import type { RequestKind } from '@hexhail/client';
import { Group, Loader, Text } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { usePendingRequests } from '../../lib/session';

/** Answers usually come sooner than this, in milliseconds; so there is no need to show them as pending. */
const patienceMs = 1500;

/** Whether a command of these kinds waits for its answer, also since before a reload. */
export function useIsPending(...kinds: readonly RequestKind[]): boolean {
  return usePendingRequests().some((p) => kinds.includes(p.kind));
}

/** Says that a command is on its way, once that takes long; it is kept and repeated until it is answered. */
export function Sending() {
  const { t } = useTranslation('driver');
  const pending = usePendingRequests().filter((p) => p.kind !== 'ping');
  const since = pending[0]?.since;
  const [late, setLate] = useState<number>();
  useEffect(() => {
    if (since === undefined) return;
    const waiting = setTimeout(() => setLate(since), Math.max(0, since + patienceMs - Date.now()));
    return () => clearTimeout(waiting);
  }, [since]);
  if (since === undefined || late !== since) return null;
  return (
    <Group gap="xs" role="status" wrap="nowrap">
      <Loader size={14} />
      <Text size="sm" c="dimmed">{t('sending')}</Text>
    </Group>
  );
}
