import { Button, Group, Modal, Radio, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useServerConfig } from '../../../api/queries';
import { distance } from '../../../lib/format';
import classes from '../driver.module.css';
import { farReasons, type Far, type FarReason } from './far';

interface Props {
  /** Null while there is nothing to ask. */
  readonly far: Far | null;
  readonly onClose: () => void;
  readonly onConfirm: (reason: FarReason) => void;
}

/** Asks a driver why a step is taken so far from its place. The answer is kept with the distance, for the operator to read. */
export function FarDialog({ far, onClose, onConfirm }: Props) {
  const { t } = useTranslation('driver');
  // What is shown while the dialog closes is what it was opened for.
  const [last, setLast] = useState<Far | null>(null);
  if (far && far !== last) setLast(far);
  return (
    <Modal opened={far !== null} onClose={onClose} title={last ? title(t, last) : ''} centered closeButtonProps={{ 'aria-label': t('far.back'), size: 44 }}>
      {last && <Form far={last} onClose={onClose} onConfirm={onConfirm} />}
    </Modal>
  );
}

function title(t: ReturnType<typeof useTranslation<'driver'>>['t'], far: Far): string {
  return far.awayM === null ? t('far.unknown') : t(`far.title.${far.end}`, { distance: distance(far.awayM) });
}

function Form({ far, onClose, onConfirm }: { far: Far; onClose: () => void; onConfirm: (reason: FarReason) => void }) {
  const { t } = useTranslation('driver');
  const [reason, setReason] = useState<FarReason | null>(null);
  const [missing, setMissing] = useState(false);
  const config = useServerConfig().data;
  const limit = (far.end === 'pickup' ? config?.arrive_within_m : config?.complete_within_m) ?? 0;
  return (
    <Stack className={classes.touch}>
      <Text size="sm" c="dimmed">
        {t(`far.text.${far.end}`)}{limit > 0 && ` ${t('far.limit', { distance: distance(limit) })}`}
      </Text>
      <Radio.Group value={reason} onChange={(r) => setReason(r as FarReason)} label={t('far.why')} error={missing && reason === null ? t('far.missing') : null}>
        <Stack gap={0} mt="xs">
          {farReasons.map((r) => <Radio key={r} value={r} label={t(`far.reason.${far.end}.${r}`)} classNames={{ body: classes.choice, labelWrapper: classes.choiceLabel }} />)}
        </Stack>
      </Radio.Group>
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>{t('far.back')}</Button>
        <Button onClick={() => { if (reason) onConfirm(reason); else setMissing(true); }}>{t(`far.confirm.${far.end}`)}</Button>
      </Group>
    </Stack>
  );
}
