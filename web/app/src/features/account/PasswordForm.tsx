import { Button, PasswordInput, Stack, Text } from '@mantine/core';
import { useForm } from '@mantine/form';
import { notifications } from '@mantine/notifications';
import { useMutation } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';

import { ApiError } from '../../api/problem';
import { changePassword } from '../../api/auth';
import { FormProblem, useWait } from './FormProblem';
import { NewPasswordField } from './PasswordField';
import * as rules from './rules';

/** A new password, against the old one. */
export function PasswordForm({ username }: { username: string }) {
  const { t } = useTranslation('account');
  const form = useForm({
    initialValues: { current_password: '', new_password: '' },
    validate: { current_password: rules.required(t), new_password: (v) => rules.password(t)(v, { username }) },
  });
  const save = useMutation({
    mutationFn: changePassword,
    onSuccess: () => {
      form.reset();
      notifications.show({ message: t('profile.passwordChanged'), color: 'lagoon', role: 'status' });
    },
    onError: (e) => form.setErrors(
      e instanceof ApiError && e.code === 'unauthenticated'
        ? { current_password: t('errors.currentPassword') }
        : rules.fieldErrors(t, e, ['current_password', 'new_password']),
    ),
  });
  const general = Object.keys(form.errors).length > 0 ? null : save.error;
  const wait = useWait(general);
  return (
    <form onSubmit={form.onSubmit((v) => save.mutate(v))} noValidate>
      <Stack>
        {/* Password managers want to know whose password it is. */}
        <input type="text" name="username" autoComplete="username" value={username} readOnly hidden />
        <PasswordInput label={t('profile.current')} autoComplete="current-password"
          visibilityToggleButtonProps={{ 'aria-label': t('showPassword') }} {...form.getInputProps('current_password')} />
        <NewPasswordField label={t('profile.new')} username={username} {...form.getInputProps('new_password')} />
        <Text size="xs" c="dimmed">{t('profile.passwordHint')}</Text>
        <FormProblem error={general} wait={wait} />
        <Button type="submit" variant="light" loading={save.isPending} disabled={!form.isDirty() || wait > 0}>{t('profile.change')}</Button>
      </Stack>
    </form>
  );
}
