import { Button, Divider, Group, SegmentedControl, Stack, Text, useMantineColorScheme, type MantineColorScheme } from '@mantine/core';
import { IconLogout, IconUser } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import type { Account } from '../api/http';
import { Avatar } from '../lib/Avatar';
import { logOut } from '../api/auth';
import classes from './Frame.module.css';
import { chooseLanguage, languages, type Language } from '../lib/i18n';
import { LinkButton } from '../lib/links';
import { navigation } from './navigation';
import { WaitingDrivers } from '../features/ops/WaitingDrivers';

/** What the header has no room for on a phone. */
export function FrameDrawer({ account, close }: { account: Account | null; close: () => void }) {
  const { t, i18n } = useTranslation();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Stack gap="md">
      {account && (
        <>
          <Group gap="sm" wrap="nowrap">
            <Avatar person={account} size="lg" />
            <Stack gap={0} miw={0}>
              <Text fw={600} truncate>{account.first_name} {account.last_name}</Text>
              <Text size="sm" c="dimmed" truncate>{account.username}</Text>
            </Stack>
          </Group>
          <nav aria-label={t('nav.label')}>
            {navigation[account.role].map(({ to, text, icon: Icon }) => (
              <Link key={to} to={to} activeOptions={{ exact: to === '/ops' }} className={`${classes.link} ${classes.entry}`} onClick={close}>
                <Icon size={20} aria-hidden="true" />
                {t(`nav.${text}`)}
                {to === '/ops/approvals' && <WaitingDrivers />}
              </Link>
            ))}
            <Link to="/profile" className={`${classes.link} ${classes.entry}`} onClick={close}>
              <IconUser size={20} aria-hidden="true" />
              {t('profile')}
            </Link>
          </nav>
        </>
      )}
      {!account && (
        <Stack gap="xs">
          <LinkButton to="/login" variant="light" onClick={close}>{t('logIn')}</LinkButton>
          <LinkButton to="/signup" onClick={close}>{t('signUp')}</LinkButton>
        </Stack>
      )}
      <Divider />
      <Choice label={t('language')} value={i18n.language} onChange={(v) => void chooseLanguage(v as Language)}
        data={Object.entries(languages).map(([value, label]) => ({ value, label }))} />
      <Choice label={t('scheme.label')} value={colorScheme} onChange={(v) => setColorScheme(v as MantineColorScheme)}
        data={(['auto', 'light', 'dark'] as const).map((value) => ({ value, label: t(`scheme.${value}`) }))} />
      {account && (
        <Button variant="subtle" color="gray" leftSection={<IconLogout size={18} />} justify="start"
          onClick={() => { close(); void logOut(); }}>
          {t('logOut')}
        </Button>
      )}
    </Stack>
  );
}

function Choice(p: { label: string; value: string; data: { value: string; label: string }[]; onChange: (v: string) => void }) {
  return (
    <Stack gap={4}>
      <Text size="sm" fw={600}>{p.label}</Text>
      <SegmentedControl aria-label={p.label} fullWidth value={p.value} data={p.data} onChange={p.onChange} />
    </Stack>
  );
}
