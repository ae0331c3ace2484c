import { Card, Group, SegmentedControl, Stack, Text, Title } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation } from '@tanstack/react-query';
import { IconStarFilled } from '@tabler/icons-react';
import { useEffect, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { call, type Account } from '../../api/http';
import { auth, http, useAccount } from '../../api/auth';
import { day, stars } from '../../lib/format';
import { chooseLanguage, languages, type Language } from '../../lib/i18n';
import { AlertSwitches } from '../../lib/notices/AlertsMenu';
import { problemText } from '../../lib/problemText';
import { usePageTitle } from '../../lib/usePageTitle';
import classes from './account.module.css';
import { PasswordForm } from './PasswordForm';
import { PersonForm } from './PersonForm';
import { PhotoField } from './PhotoField';
import { YourData } from './YourData';

export default function Profile() {
  const { t } = useTranslation('account');
  const account = useAccount();
  usePageTitle(t('profile.title'));
  useFreshAccount();
  if (!account) return null; // logged out a moment ago; the guard leads away
  return (
    <div className={classes.narrow}>
      <Title order={1} mb="md">{t('profile.title')}</Title>
      <Stack gap="lg">
        <Person account={account} />
        <Section title={account.role === 'driver' ? t('profile.personAndVehicle') : t('profile.person')}><PersonForm account={account} /></Section>
        <Section title={t('profile.password')}><PasswordForm username={account.username} /></Section>
        <Section title={t('profile.language')}><LanguageChoice /></Section>
        {account.role !== 'operator' && <Section title={t('profile.alerts')}><AlertSwitches /></Section>}
        <Section title={t('data.title')}><YourData account={account} /></Section>
      </Stack>
    </div>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Card component="section" aria-label={title}>
      <Title order={2} size="h4" mb="md">{title}</Title>
      {children}
    </Card>
  );
}

/** Ratings change while people ride; another device may have changed the rest. */
function useFreshAccount(): void {
  useEffect(() => {
    call(http.GET('/v1/me')).then((me) => auth.updateAccount(me), () => undefined); // what is kept here serves meanwhile
  }, []);
}

function Person({ account }: { account: Account }) {
  const { t } = useTranslation('account');
  const set = useMutation({
    mutationFn: (photo: Blob | null) => (photo ? putPhoto(photo) : call(http.DELETE('/v1/me/photo')).then(() => call(http.GET('/v1/me')))),
    onSuccess: (me) => auth.updateAccount(me),
    onError: (e) => notifications.show({ message: problemText(e), color: 'red', role: 'alert' }),
  });
  const mean = stars(account.rating_x100);
  return (
    <Card>
      <Stack gap="md">
        <PhotoField name={account.first_name} photoUrl={account.photo_url} busy={set.isPending}
          onChoose={(photo) => set.mutate(photo)} onRemove={() => set.mutate(null)} />
        <div>
          <Text fw={700} size="lg">{account.first_name} {account.last_name}</Text>
          <Text c="dimmed" size="sm">{account.username} · {t('profile.since', { day: day(account.created_at) })}</Text>
          {account.role !== 'operator' && (
            <Group gap={4} mt={4}>
              {mean && <IconStarFilled size={14} aria-hidden="true" />}
              <Text size="sm">{mean ? t('profile.rating', { mean, count: account.ratings }) : t('profile.unrated')}</Text>
            </Group>
          )}
        </div>
      </Stack>
    </Card>
  );
}

function putPhoto(photo: Blob): Promise<Account> {
  return call(
    http.PUT('/v1/me/photo', {
      // The generated types take a binary body for a string.
      body: photo as unknown as string,
      bodySerializer: () => photo,
      headers: { 'Content-Type': photo.type },
    }),
  );
}

function LanguageChoice() {
  const { t, i18n } = useTranslation('account');
  return (
    <SegmentedControl aria-label={t('profile.language')} value={i18n.language} onChange={(l) => void chooseLanguage(l as Language)}
      data={Object.entries(languages).map(([value, label]) => ({ value, label }))} />
  );
}
