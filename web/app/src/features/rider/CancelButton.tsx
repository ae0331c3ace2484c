import type { Trip } from '@hexhail/client';
import { Button, Group, Modal, Radio, Stack, Text, Textarea } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { notifications } from '@mantine/notifications';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useConnectionState, usePendingRequests, useSession } from '../../lib/session';
import { codeOf } from '../../lib/trip/problem';
import { clip } from '../../lib/trip/text';
import { problemText } from './problems';

const reasons = ['wait', 'plans', 'wrong', 'other'] as const;
type Reason = (typeof reasons)[number];
const reasonBytes = 200;

/** Cancels a trip; `ask` says whether to do so at once, after a question, or with a reason for the driver. */
export function CancelButton({ trip, ask }: { trip: Trip; ask: 'never' | 'confirm' | 'reason' }) {
  const { t } = useTranslation('rider');
  const session = useSession();
  const connected = useConnectionState().status === 'connected';
  const sending = usePendingRequests().some((r) => r.kind === 'cancel_trip');
  const [opened, dialog] = useDisclosure(false);

  const cancel = (reason: string) => {
    dialog.close();
    session.cancelTrip(trip.id, reason).catch((e: unknown) => {
      notifications.show({ message: problemText(t, codeOf(e)), color: 'red' });
    });
  };
  return (
    <>
      <Button variant="default" loading={sending} onClick={() => (ask === 'never' ? cancel('') : dialog.open())}>
        {t(ask === 'reason' ? 'cancel.ride' : 'cancel.search')}
      </Button>
      {sending && <Text size="sm" c="dimmed" role="status">{t(connected ? 'cancel.sending' : 'cancel.offline')}</Text>}
      <Modal opened={opened} onClose={dialog.close} title={t(`cancel.title.${ask === 'reason' ? 'ride' : 'search'}`)} closeButtonProps={{ 'aria-label': t('cancel.keep') }}>
        {ask === 'reason' ? <Reasons onCancel={cancel} onKeep={dialog.close} /> : <Sure onCancel={() => cancel('')} onKeep={dialog.close} />}
      </Modal>
    </>
  );
}

function Sure({ onCancel, onKeep }: { onCancel: () => void; onKeep: () => void }) {
  const { t } = useTranslation('rider');
  return (
    <Stack>
      <Text>{t('cancel.sure')}</Text>
      <Group grow>
        <Button variant="default" px="xs" onClick={onKeep} data-autofocus>{t('cancel.keepSearching')}</Button>
        <Button color="red.9" px="xs" onClick={onCancel}>{t('cancel.search')}</Button>
      </Group>
    </Stack>
  );
}

function Reasons({ onCancel, onKeep }: { onCancel: (reason: string) => void; onKeep: () => void }) {
  const { t } = useTranslation('rider');
  const [reason, setReason] = useState<Reason | null>(null);
  const [own, setOwn] = useState('');
  return (
    <Stack>
      <Radio.Group label={t('cancel.why')} value={reason} onChange={(r) => setReason(r as Reason)}>
        <Stack gap="xs" mt="xs">
          {reasons.map((r) => <Radio key={r} value={r} label={t(`cancel.reason.${r}`)} />)}
        </Stack>
      </Radio.Group>
      {reason === 'other' && (
        <Textarea label={t('cancel.own')} autosize minRows={2} value={own} onChange={(e) => setOwn(clip(e.currentTarget.value, reasonBytes))} />
      )}
      <Text size="sm" c="dimmed">{t('cancel.shared')}</Text>
      <Group grow>
        <Button variant="default" px="xs" onClick={onKeep}>{t('cancel.keep')}</Button>
        <Button color="red.9" px="xs" onClick={() => onCancel(reason === null ? '' : reason === 'other' ? own.trim() : t(`cancel.reason.${reason}`))}>{t('cancel.ride')}</Button>
      </Group>
    </Stack>
  );
}
