import { Button, Code, CopyButton, Group, Modal, Stack, Text } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

interface Props {
  readonly name: string;
  readonly username: string;
  /** The password to show; null: nothing. */
  readonly password: string | null;
  readonly onClose: () => void;
}

/** Shows a password that the server sends only once. Only its button closes it, so that no slip of the hand loses it. */
export function PersonPassword({ name, username, password, onClose }: Props) {
  const { t } = useTranslation('ops');
  return (
    <Modal opened={password !== null} onClose={onClose} title={t('people.newPassword.title', { name })} withCloseButton={false} closeOnClickOutside={false} closeOnEscape={false}>
      {password !== null && (
        <Stack>
          <Text size="sm">{t('people.newPassword.once')}</Text>
          <Group gap="sm" wrap="nowrap">
            <Code block tabIndex={0} fz="lg" style={{ flex: 1, userSelect: 'all' }} aria-label={t('people.newPassword.label')}>{password}</Code>
            <CopyButton value={password}>
              {({ copied, copy }) => (
                <Button variant="light" onClick={copy} leftSection={copied ? <IconCheck size={16} /> : <IconCopy size={16} />}>{t(copied ? 'trips.list.copied' : 'people.newPassword.copy')}</Button>
              )}
            </CopyButton>
          </Group>
          <Text size="sm">{t('people.newPassword.tell', { name, username })}</Text>
          <Group justify="flex-end"><Button onClick={onClose}>{t('people.newPassword.done')}</Button></Group>
        </Stack>
      )}
    </Modal>
  );
}
