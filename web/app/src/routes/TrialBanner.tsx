import { Group, Text } from '@mantine/core';
import { IconFlask } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { useServerConfig } from '../api/queries';
import classes from './ConnectionBanner.module.css';

/** Says on every page of a server that runs for a first try that it is no service for passengers. */
export function TrialBanner() {
  const { t } = useTranslation();
  if (useServerConfig().data?.trial !== true) return null;
  return (
    <Group className={classes.bar} data-tone="trial" gap="sm" wrap="nowrap" px="md" py={6} role="note">
      <IconFlask size={18} aria-hidden="true" style={{ flex: 'none' }} />
      <Text size="sm">{t('trial')}</Text>
    </Group>
  );
}
