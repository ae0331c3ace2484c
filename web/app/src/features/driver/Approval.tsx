import type { Approval as Decision } from '@hexhail/client';
import { Alert, Button, Group, Loader, Stack, Text, Title } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck, IconHourglass } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { call } from '../../api/http';
import { auth, http, useAccount } from '../../api/auth';
import { useSessionEvent, useView } from '../../lib/session';
import classes from './driver.module.css';
import { Vehicle } from './Vehicle';

/** What the operator decided about this driver: by the session, or by the account until that has said it. */
export function useApproval(): Decision | undefined {
  const { approval } = useView();
  const kept = useAccount()?.approval;
  return approval ?? kept;
}

/** What a driver waits for who may not go online yet, or why they may not. */
export function Approval({ decision }: { decision: Decision }) {
  return decision.state === 'refused' ? <Refused reason={decision.reason} /> : <Pending />;
}

function Pending() {
  const { t } = useTranslation('driver');
  return (
    <Stack gap="md" className={classes.touch}>
      <Group gap="md" wrap="nowrap" align="flex-start" role="status">
        <span className={classes.lineIcon}><IconHourglass size={28} aria-hidden="true" /></span>
        <div>
          <Title order={1} size="h3">{t('approval.pending')}</Title>
          <Text size="sm" c="dimmed">{t('approval.pendingText')}</Text>
        </div>
      </Group>
      <Text size="sm">{t('approval.check')}</Text>
      <Vehicle />
      <Group gap="xs" wrap="nowrap" c="dimmed"><Loader size={14} aria-hidden="true" /><Text size="sm">{t('approval.here')}</Text></Group>
    </Stack>
  );
}

function Refused({ reason }: { reason: string }) {
  const { t } = useTranslation('driver');
  return (
    <Stack gap="md" className={classes.touch}>
      <Group gap="md" wrap="nowrap" align="flex-start" role="status">
        <IconAlertTriangle size={28} color="var(--mantine-color-orange-6)" aria-hidden="true" style={{ flex: 'none' }} />
        <div>
          <Title order={1} size="h3">{t('approval.refused')}</Title>
          <Text size="sm" c="dimmed">{t('approval.refusedText')}</Text>
        </div>
      </Group>
      {reason && <Alert color="orange" title={t('approval.reason')}>{reason}</Alert>}
      <Button component={Link} to="/profile" variant="light">{t('approval.profile')}</Button>
    </Stack>
  );
}

/** Says that the wait is over, until it is closed, and keeps the account up to date. */
export function ApprovedNotice() {
  const { t } = useTranslation('driver');
  const [shown, setShown] = useState(false);
  useSessionEvent('approval', ({ state }) => {
    setShown(state === 'approved');
    // What is kept of the account says it, too, when the page is opened without a network.
    call(http.GET('/v1/me')).then((me) => auth.updateAccount(me), () => undefined);
  });
  if (!shown) return null;
  return (
    <Alert color="lagoon" role="status" icon={<IconCircleCheck size={18} />} title={t('approval.approved')}
      withCloseButton closeButtonLabel={t('approval.close')} onClose={() => setShown(false)}>
      {t('approval.approvedText')}
    </Alert>
  );
}
