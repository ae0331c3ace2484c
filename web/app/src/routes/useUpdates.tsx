import { Button, Group, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useEffect, useEffectEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { useRegisterSW } from 'virtual:pwa-register/react';

const checkEveryMs = 60 * 60 * 1000;

/** Installs the service worker, and offers a new version of the app when there is one. */
export function useUpdates(): void {
  const { t } = useTranslation();
  const { needRefresh: [waiting], updateServiceWorker } = useRegisterSW({
    onRegisteredSW: (_url, registration) => {
      // Apps stay open for days. The browser only asks at navigations.
      if (registration) setInterval(() => void registration.update().catch(() => undefined), checkEveryMs);
    },
  });
  const offer = useEffectEvent(() => {
    notifications.show({
      id: 'update', autoClose: false, withBorder: true,
      closeButtonProps: { 'aria-label': t('later') },
      message: (
        <Group justify="space-between" wrap="nowrap">
          <Text size="sm">{t('update.text')}</Text>
          <Button size="compact-sm" onClick={() => void updateServiceWorker(true)}>{t('update.now')}</Button>
        </Group>
      ),
    });
  });
  useEffect(() => {
    if (waiting) offer();
  }, [waiting]);
}
