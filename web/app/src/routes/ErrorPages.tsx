import { Button, Center, Stack, Text, Title } from '@mantine/core';
import { IconHexagonOff, IconMapQuestion, IconWifiOff } from '@tabler/icons-react';
import { useRouter, type ErrorComponentProps } from '@tanstack/react-router';
import { useEffect, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { ApiError } from '../api/problem';
import { LinkButton } from '../lib/links';
import { useFirstPaint } from './useFirstPaint';
import { usePageTitle } from '../lib/usePageTitle';

/** What an address without a page shows. */
export function NotFoundPage() {
  const { t } = useTranslation();
  return (
    <Apology icon={<IconMapQuestion size={56} stroke={1.2} />} title={t('notFound.title')} text={t('notFound.text')}>
      <LinkButton to="/">{t('notFound.home')}</LinkButton>
    </Apology>
  );
}

/** What a page that failed shows instead. */
export function ErrorPage({ error, reset }: ErrorComponentProps) {
  const { t } = useTranslation();
  const router = useRouter();
  const outdated = isMissingChunk(error);
  useEffect(() => {
    if (outdated) reloadOnce();
  }, [outdated]);
  const again = () => {
    if (outdated) {
      location.reload();
      return;
    }
    reset();
    void router.invalidate();
  };
  const offline = !navigator.onLine || (error instanceof ApiError && error.code === 'network');
  return (
    <Apology
      icon={offline ? <IconWifiOff size={56} stroke={1.2} /> : <IconHexagonOff size={56} stroke={1.2} />}
      title={offline ? t('offline.title') : t('failed.title')}
      text={offline ? t('offline.text') : t('failed.text')}
    >
      <Button onClick={again}>{t('retry')}</Button>
    </Apology>
  );
}

function Apology(p: { icon: ReactNode; title: string; text: string; children: ReactNode }) {
  usePageTitle(p.title);
  useFirstPaint();
  return (
    <Center mih="70vh" p="lg">
      <Stack align="center" maw={420} ta="center" role="alert" gap="md">
        <Text c="lagoon" component="span" lh={1}>{p.icon}</Text>
        <Title order={1} size="h2">{p.title}</Title>
        <Text c="dimmed">{p.text}</Text>
        {p.children}
      </Stack>
    </Center>
  );
}

/** After an update of the server, a page that is still open may miss parts of its old version. */
function isMissingChunk(error: unknown): boolean {
  return error instanceof Error && /dynamically imported module|module script failed|does not provide an export/i.test(error.message);
}

const reloadedKey = 'hexhail.reloaded';

function reloadOnce(): void {
  const last = Number(sessionStorage.getItem(reloadedKey) ?? 0);
  if (Date.now() - last < 60_000 || !navigator.onLine) return;
  sessionStorage.setItem(reloadedKey, String(Date.now()));
  location.reload();
}
