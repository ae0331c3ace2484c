import { Alert, Button, Group, Modal, PasswordInput, Stack, Text } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useDisclosure } from '@mantine/hooks';
import { notifications } from '@mantine/notifications';
import { useMutation } from '@tanstack/react-query';
import { IconDownload, IconTrash } from '@tabler/icons-react';
import { useRouter } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import { call, type Account } from '../../api/http';
import { ApiError } from '../../api/problem';
import { deleteAccount, http } from '../../api/auth';
import { problemText } from '../../lib/problemText';
import { save } from '../../lib/save';
import { useView } from '../../lib/session';
import { FormProblem, useWait } from './FormProblem';
import * as rules from './rules';

/** What is held about oneself: a copy of it, and its end. */
export function YourData({ account }: { account: Account }) {
  const { t } = useTranslation('account');
  const [asking, dialog] = useDisclosure(false);
  const download = useMutation({
    mutationFn: () => call(http.GET('/v1/me/export', { parseAs: 'blob' })),
    onSuccess: (file) => save(file, 'hexhail-export.json'),
    onError: (e) => notifications.show({ message: problemText(e), color: 'red', role: 'alert' }),
  });
  return (
    <Stack>
      <div>
        <Text size="sm" mb="xs">{t('data.exportText')}</Text>
        <Button variant="light" leftSection={<IconDownload size={18} />} loading={download.isPending} onClick={() => download.mutate()}>{t('data.export')}</Button>
      </div>
      <div>
        <Text size="sm" mb="xs">{t('data.deleteText')}</Text>
        <Button variant="default" leftSection={<IconTrash size={18} />} onClick={dialog.open}>{t('data.delete')}</Button>
      </div>
      <Modal opened={asking} onClose={dialog.close} title={t('data.deleteTitle')} closeButtonProps={{ 'aria-label': t('data.keep') }}>
        <Deletion account={account} onKeep={dialog.close} />
      </Modal>
    </Stack>
  );
}

/** Says what is deleted, and asks for the password. An account on a trip cannot be deleted. */
function Deletion({ account, onKeep }: { account: Account; onKeep: () => void }) {
  const { t } = useTranslation('account');
  const router = useRouter();
  const riding = useView().activeTrip !== undefined;
  const form = useForm({ initialValues: { password: '' }, validate: { password: rules.required(t) } });
  const erase = useMutation({
    mutationFn: ({ password }: { password: string }) => deleteAccount(password),
    onSuccess: async () => {
      notifications.show({ message: t('data.deleted'), color: 'lagoon', role: 'status' });
      await router.navigate({ to: '/', replace: true });
    },
    onError: (e) => form.setErrors(e instanceof ApiError && 'password' in e.fields ? { password: t('errors.currentPassword') } : {}),
  });
  const refused = erase.error instanceof ApiError && erase.error.code === 'trip_active';
  const general = Object.keys(form.errors).length > 0 || refused ? null : erase.error;
  const wait = useWait(general);
  if (riding || refused) {
    return (
      <Stack>
        <Alert color="orange" role="alert">{t('data.riding')}</Alert>
        <Button variant="default" onClick={onKeep} data-autofocus>{t('data.keep')}</Button>
      </Stack>
    );
  }
  return (
    <form onSubmit={form.onSubmit((v) => erase.mutate(v))} noValidate>
      <Stack>
        <Text>{t('data.warning')}</Text>
        <Text size="sm" c="dimmed">{t('data.kept')}</Text>
        <input type="text" name="username" autoComplete="username" value={account.username} readOnly hidden />
        <PasswordInput label={t('data.confirm')} autoComplete="current-password" data-autofocus
          visibilityToggleButtonProps={{ 'aria-label': t('showPassword') }} {...form.getInputProps('password')} />
        <FormProblem error={general} wait={wait} />
        <Group grow>
          <Button variant="default" px="xs" onClick={onKeep}>{t('data.keep')}</Button>
          <Button type="submit" color="red.9" px="xs" loading={erase.isPending} disabled={wait > 0}>{t('data.delete')}</Button>
        </Group>
      </Stack>
    </form>
  );
}
