import { Menu, Text, UnstyledButton, VisuallyHidden } from '@mantine/core';
import { IconLogout, IconUser } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import type { Account } from '../api/http';
import { Avatar } from '../lib/Avatar';
import { logOut } from '../api/auth';

/** One's photo in the header, and what lies behind it. */
export function AccountMenu({ account }: { account: Account }) {
  const { t } = useTranslation();
  return (
    <Menu position="bottom-end" shadow="md" width={220}>
      <Menu.Target>
        <UnstyledButton p={5}>
          <Avatar person={account} size={34} />
          <VisuallyHidden>{t('account', { name: account.first_name })}</VisuallyHidden>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text size="sm" fw={600} truncate>{account.first_name} {account.last_name}</Text>
          <Text size="xs" truncate>{t(`role.${account.role}`)} · {account.username}</Text>
        </Menu.Label>
        <Menu.Divider />
        <Menu.Item component={Link} to="/profile" leftSection={<IconUser size={16} />}>{t('profile')}</Menu.Item>
        <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => void logOut()}>{t('logOut')}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
