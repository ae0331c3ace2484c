import { ActionIcon, Popover, Stack, Switch, Text } from '@mantine/core';
import { IconBell, IconBellOff } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { chooseSound, chooseSystem, systemState, useAlertChoice } from './alerts';

/** The switches for sound and the system's notifications. */
export function AlertSwitches() {
  const { t } = useTranslation();
  const choice = useAlertChoice();
  const system = systemState();
  return (
    <Stack gap="sm">
      <Switch label={t('alerts.sound')} checked={choice.sound} onChange={(e) => chooseSound(e.currentTarget.checked)} />
      <Switch
        label={t('alerts.system')}
        description={system === 'denied' ? t('alerts.denied') : system === 'unsupported' ? t('alerts.unsupported') : undefined}
        disabled={system === 'denied' || system === 'unsupported'}
        checked={choice.system}
        onChange={(e) => void chooseSystem(e.currentTarget.checked)}
      />
    </Stack>
  );
}

/** The bell in the header. */
export function AlertsMenu() {
  const { t } = useTranslation();
  const choice = useAlertChoice();
  return (
    <Popover position="bottom-end" shadow="md" withArrow trapFocus>
      <Popover.Target>
        <ActionIcon variant="subtle" color="gray" size={44} aria-label={t('alerts.title')}>
          {choice.sound || choice.system ? <IconBell size={20} /> : <IconBellOff size={20} />}
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown maw={300}>
        <Text fw={600} mb="xs">{t('alerts.title')}</Text>
        <AlertSwitches />
      </Popover.Dropdown>
    </Popover>
  );
}
