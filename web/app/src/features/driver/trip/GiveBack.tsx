import type { Client, WholeTrip } from '@hexhail/client';
import { Button, Group, Modal, Radio, Stack, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { clip } from '../../../lib/trip/text';
import classes from '../driver.module.css';
import { ProblemAlert } from '../ProblemAlert';
import { useCommand } from '../useCommand';

const reasons = ['noShow', 'car', 'far', 'other'] as const;
/** What the protocol takes, in bytes. */
const mostBytes = 200;

/** Gives the trip back, so that it is offered to others. */
export function GiveBack({ session, trip }: { session: Client; trip: WholeTrip }) {
  const { t } = useTranslation('driver');
  const [opened, dialog] = useDisclosure(false);
  const [reason, setReason] = useState<string | null>(null);
  const [missing, setMissing] = useState(false);
  const [words, setWords] = useState('');
  const giving = useCommand();
  const open = () => {
    setReason(null);
    setMissing(false);
    setWords('');
    giving.clear();
    dialog.open();
  };
  const give = async () => {
    if (reason === null || (reason === 'other' && words.trim() === '')) {
      setMissing(true);
      return;
    }
    const text = reason === 'other' ? words.trim() : t(`giveBack.${reason as (typeof reasons)[number]}`, { lng: 'en' });
    const ok = await giving.run(() => session.cancelTrip(trip.id, clip(text, mostBytes)));
    if (ok) dialog.close();
  };
  return (
    <>
      <Button variant="subtle" color="red" c="light-dark(var(--mantine-color-red-9), var(--mantine-color-red-4))" onClick={open}>{t('giveBack.open')}</Button>
      <Modal opened={opened} onClose={dialog.close} title={t('giveBack.title')} centered closeButtonProps={{ 'aria-label': t('giveBack.keep'), size: 44 }}>
        <Stack className={classes.touch}>
          <Text size="sm" c="dimmed">{t('giveBack.text')}</Text>
          <Radio.Group value={reason} onChange={setReason} label={t('giveBack.why')} error={missing && reason === null ? t('giveBack.missing') : null}>
            <Stack gap={0} mt="xs">
              {reasons.map((r) => <Radio key={r} value={r} label={t(`giveBack.${r}`)} classNames={{ body: classes.choice, labelWrapper: classes.choiceLabel }} />)}
            </Stack>
          </Radio.Group>
          {reason === 'other' && (
            <TextInput label={t('giveBack.words')} value={words} error={missing && words.trim() === '' ? t('giveBack.wordsMissing') : null} onChange={(e) => setWords(e.currentTarget.value)} maxLength={mostBytes} />
          )}
          <ProblemAlert problem={giving.problem} />
          <Group justify="flex-end">
            <Button variant="default" onClick={dialog.close}>{t('giveBack.keep')}</Button>
            <Button color="red.9" loading={giving.busy} onClick={() => void give()}>{t('giveBack.give')}</Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}
