import { Button, Center, Stack, Text, Title } from '@mantine/core';
import { Link, useRouter, type ErrorComponentProps } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import { usePageTitle } from './usePageTitle';

/** What an address without a page shows. */
export function NotFoundPage() {
  const { t } = useTranslation();
  usePageTitle(t('notFound.title'));
  return (
    <Center mih="60vh" p="lg">
      <Stack align="center" maw={420} ta="center">
        <Title order={1}>{t('notFound.title')}</Title>
        <Text c="dimmed">{t('notFound.text')}</Text>
        <Button component={Link} to="/">{t('notFound.home')}</Button>
      </Stack>
    </Center>
  );
}

/** What a page that failed shows instead. */
export function ErrorPage({ reset }: ErrorComponentProps) {
  const { t } = useTranslation();
  const router = useRouter();
  usePageTitle(t('failed.title'));
  const again = () => {
    reset();
    void router.invalidate();
  };
  return (
    <Center mih="60vh" p="lg">
      <Stack align="center" maw={420} ta="center" role="alert">
        <Title order={1}>{t('failed.title')}</Title>
        <Text c="dimmed">{t('failed.text')}</Text>
        <Button onClick={again}>{t('retry')}</Button>
      </Stack>
    </Center>
  );
}
