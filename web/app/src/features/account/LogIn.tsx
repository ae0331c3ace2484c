import { Box, Button, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useRouter, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { ApiError } from '../../api/problem';
import { useServerConfig } from '../../api/queries';
import { homeOf, logIn } from '../../api/auth';
import { LinkAnchor } from '../../lib/links';
import { usePageTitle } from '../../lib/usePageTitle';
import classes from './account.module.css';
import { DemoRoles } from './DemoRoles';
import { ForgotPassword } from './ForgotPassword';
import { FormProblem, useWait } from './FormProblem';
import { logInName, required } from './rules';
import { tidyUsername } from './username';

export default function LogIn() {
  const { t } = useTranslation('account');
  usePageTitle(t('logIn.title'));
  const search = useSearch({ from: '/login' });
  const router = useRouter();
  const config = useServerConfig();
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const wait = useWait(error);
  const form = useForm({
    mode: 'uncontrolled',
    initialValues: { username: '', password: '' },
    validate: { username: logInName(t), password: required(t) },
  });

  const send = async (values: typeof form.values) => {
    setBusy(true);
    setError(null);
    try {
      const account = await logIn({ ...values, username: tidyUsername(values.username) });
      await router.navigate({ to: search.next ?? homeOf(account.role), replace: true });
    } catch (e) {
      setError(e);
    } finally {
      setBusy(false);
    }
  };

  return (
    <div className={classes.narrow}>
      <Title order={1} mb="xs">{t('logIn.title')}</Title>
      {search.next && <Text c="dimmed" mb="md">{t('logIn.first')}</Text>}
      <form onSubmit={form.onSubmit((v) => void send(v))} noValidate>
        <Stack mt="md">
          <WrongPassword error={error} wait={wait} />
          <TextInput label={t('username')} autoComplete="username" autoCapitalize="none" spellCheck={false}
            key={form.key('username')} {...form.getInputProps('username')} />
          <PasswordInput label={t('password')} autoComplete="current-password"
            visibilityToggleButtonProps={{ 'aria-label': t('showPassword') }}
            key={form.key('password')} {...form.getInputProps('password')} />
          <Button type="submit" size="md" loading={busy} disabled={wait > 0}>{t('logIn.send')}</Button>
        </Stack>
      </form>
      <Box mt="sm"><ForgotPassword /></Box>
      {config.data?.sign_up_open !== false && (
        <Text mt="lg" size="sm">{t('logIn.new')} <LinkAnchor to="/signup" search={search}>{t('signUp.title')}</LinkAnchor></Text>
      )}
      <DemoRoles mt="xl" next={search.next} />
    </div>
  );
}

/** The server does not say whether the name or the password is wrong; neither do we. */
function WrongPassword({ error, wait }: { error: unknown; wait: number }) {
  const { t } = useTranslation('account');
  if (error instanceof ApiError && error.code === 'unauthenticated') {
    return <Text c="red" role="alert" fw={500}>{t('logIn.wrong')}</Text>;
  }
  return <FormProblem error={error} wait={wait} />;
}
