import type { Trip } from '@hexhail/client';
import { Alert, Stack, Text } from '@mantine/core';
import { IconMapPinExclamation } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { markTexts } from './measured';

/** Says where the driver was, if that was not where the trip began and ended. */
export function Marks({ trip }: { trip: Pick<Trip, 'arrival' | 'completion'> }) {
  const { t } = useTranslation('trips');
  const texts = markTexts(t, trip);
  if (texts.length === 0) return null;
  return (
    <Alert color="orange" variant="light" icon={<IconMapPinExclamation size={20} aria-hidden />} role="note">
      <Stack gap={4}>{texts.map((text) => <Text key={text} size="sm">{text}</Text>)}</Stack>
    </Alert>
  );
}
