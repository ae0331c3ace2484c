import { ProtocolError, type Client, type WholeTrip } from '@hexhail/client';
import { Button, Group, PinInput, Stack, Text } from '@mantine/core';
import { IconMessageCircle } from '@tabler/icons-react';
import { useEffect, useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { ProblemAlert } from '../ProblemAlert';
import { useIsPending } from '../Sending';
import { useCommand } from '../useCommand';
import { usePinAsked, usePinHint } from './usePinHint';

const digits = 4;

/** Begins the ride, with the rider's PIN where it is asked for. */
export function StartRide({ session, trip, demo }: { session: Client; trip: WholeTrip; demo: boolean }) {
  const { t } = useTranslation('driver');
  const [pin, setPin] = useState('');
  const start = useCommand();
  const sending = useIsPending('start_trip');
  const hint = usePinHint(trip, demo);
  const [asked, remember] = usePinAsked();
  const hintId = useId();
  const fields = useRef<HTMLDivElement>(null);
  // The button that was pressed last is gone; the next thing to do is here. Focus that is elsewhere stays there.
  useEffect(() => {
    if (asked && document.activeElement === document.body) fields.current?.querySelector('input')?.focus();
  }, [asked]);

  const submit = async (value: string) => {
    if (asked && value.length < digits) return;
    const ok = await start.run(async () => {
      try {
        await session.startTrip(trip.id, asked ? value : undefined);
      } catch (e) {
        if (!(e instanceof ProtocolError && e.code === 'wrong_pin')) throw e;
        remember();
        setPin('');
        // Who was not asked for a PIN has made no mistake.
        if (asked) throw e;
      }
    });
    if (!ok) setPin('');
  };

  return (
    <Stack gap="sm">
      {hint && (
        <Group gap={8} wrap="nowrap">
          <IconMessageCircle size={20} aria-hidden="true" />
          <Text size="sm">{t('pin.hint', { name: trip.rider?.first_name ?? t('trip.rider'), pin: hint })}</Text>
        </Group>
      )}
      {asked && (
        <Stack gap={6} align="center">
          <Text id={hintId} size="sm" fw={600}>{t('pin.ask', { name: trip.rider?.first_name ?? t('trip.rider') })}</Text>
          <PinInput length={digits} type="number" size="lg" value={pin} onChange={setPin} onComplete={(v) => void submit(v)}
            aria-label={t('pin.digit')} aria-describedby={hintId} error={start.problem?.code === 'wrong_pin'} disabled={sending} rootRef={fields}
            getInputProps={(i) => ({ 'aria-label': t('pin.digitOf', { n: i + 1, of: digits }) })} />
        </Stack>
      )}
      <ProblemAlert problem={start.problem} />
      <Button size="lg" fullWidth loading={start.busy || sending} disabled={asked && pin.length < digits} onClick={() => void submit(pin)}>
        {t('trip.start')}
      </Button>
    </Stack>
  );
}
