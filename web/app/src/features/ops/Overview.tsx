import { Button, Card, Container, Group, Stack, Title } from '@mantine/core';
import { IconMap2 } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import { usePageTitle } from '../../lib/usePageTitle';
import { Charts } from './Charts';
import { DemoDispatch } from './DemoDispatch';
import { useNeed } from './live/hooks';
import { MapTotals } from './MapTotals';
import { RideTimes } from './RideTimes';

const need = { samples: true } as const;

/** Where the console begins: the city in numbers, and how it came there. */
export default function OpsOverviewPage() {
  const { t } = useTranslation('ops');
  usePageTitle(t('overview.title'));
  useNeed(need);
  return (
    <Container size="xl" py="md">
      <Stack gap="lg">
        <Group justify="space-between">
          <Title order={1} size="h2">{t('overview.heading')}</Title>
          <Button component={Link} to="/ops/map" variant="light" leftSection={<IconMap2 size={18} aria-hidden="true" />}>{t('overview.toMap')}</Button>
        </Group>
        <Card padding={0}><MapTotals /></Card>
        <DemoDispatch />
        <Charts />
        <RideTimes />
      </Stack>
    </Container>
  );
}
