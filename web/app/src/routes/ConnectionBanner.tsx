import { Button, Group, Loader, Text } from '@mantine/core';
import { IconCloudOff, IconDevices, IconLock, IconPlugConnectedX, IconWifiOff } from '@tabler/icons-react';
import type { ConnectionState } from '@hexhail/client';
import { useEffect, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import classes from './ConnectionBanner.module.css';
import { useConnectionState, useSessionOrNull } from '../lib/session';

/** Short breaks heal on their own, and a banner that only flashes helps no one. */
const patienceMs = 1200;

/** Says when the page is not live, why, and what can be done. */
export function ConnectionBanner() {
  const state = useConnectionState();
  const session = useSessionOrNull();
  const late = useLate(state.status === 'connected' || state.status === 'idle', patienceMs);
  if (!session || state.status === 'connected' || state.status === 'idle' || state.status === 'stopped') return null;
  if (!late && (state.status === 'connecting' || state.status === 'waiting')) return null;
  return <Bar state={state} now={() => session.connectNow()} />;
}

function Bar({ state, now }: { state: ConnectionState; now: () => void }) {
  const { t } = useTranslation();
  switch (state.status) {
    case 'connecting':
      return <Line icon={<Loader size={16} color="currentColor" />} text={t('connection.connecting')} />;
    case 'offline':
      return <Line icon={<IconWifiOff size={18} />} text={t('connection.offline')} tone="warn" />;
    case 'waiting': {
      const text = state.cause.reason === 'shutdown' ? t('connection.shutdown') : t('connection.waiting');
      const icon = state.cause.reason === 'shutdown' ? <IconCloudOff size={18} /> : <IconPlugConnectedX size={18} />;
      return (
        <Line icon={icon} text={text} tone="warn" after={<Countdown until={state.retryAt} />}>
          <Act onClick={now}>{t('connection.now')}</Act>
        </Line>
      );
    }
    case 'replaced':
      return (
        <Line icon={<IconDevices size={18} />} text={t('connection.replaced')} tone="warn">
          <Act onClick={now}>{t('connection.useHere')}</Act>
        </Line>
      );
    case 'refused':
      return <Refused code={state.code} now={now} />;
    default:
      return null;
  }
}

function Refused({ code, now }: { code: string; now: () => void }) {
  const { t } = useTranslation();
  if (code === 'unauthenticated' || code === 'revoked') return null; // the log-in page comes
  if (code === 'suspended') return <Line icon={<IconLock size={18} />} text={t('connection.suspended')} tone="bad" />;
  return (
    <Line icon={<IconPlugConnectedX size={18} />} text={t('connection.refused', { code })} tone="bad">
      <Act onClick={now}>{t('retry')}</Act>
    </Line>
  );
}

function Line(p: { icon: ReactNode; text: string; tone?: 'warn' | 'bad'; after?: ReactNode; children?: ReactNode }) {
  return (
    <Group className={classes.bar} data-tone={p.tone} gap="sm" wrap="nowrap" px="md" py={6}>
      {p.icon}
      <Text size="sm" flex={1} role="status">{p.text} {p.after}</Text>
      {p.children}
    </Group>
  );
}

function Act({ onClick, children }: { onClick: () => void; children: ReactNode }) {
  return <Button size="compact-sm" variant="white" color="dark" onClick={onClick}>{children}</Button>;
}

/** Counts down aloud for eyes only: a screen reader hears the status, not each second. */
function Countdown({ until }: { until: number }) {
  const { t } = useTranslation();
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const ticking = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(ticking);
  }, []);
  const seconds = Math.max(0, Math.ceil((until - now) / 1000));
  return <span aria-hidden="true">{t('connection.in', { seconds })}</span>;
}

/** True once `fine` has been false for `ms`. */
function useLate(fine: boolean, ms: number): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const waiting = setTimeout(() => setLate(!fine), fine ? 0 : ms);
    return () => clearTimeout(waiting);
  }, [fine, ms]);
  return late && !fine;
}
