import { ActionIcon, Box, Drawer, Group, UnstyledButton, VisuallyHidden } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Notifications } from '@mantine/notifications';
import { IconMenu2 } from '@tabler/icons-react';
import { Link, Outlet, useMatches, useRouterState } from '@tanstack/react-router';
import { Suspense, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';

import { AccountMenu } from './AccountMenu';
import { homeOf, useAccount } from '../api/auth';
import { ConnectionBanner } from './ConnectionBanner';
import { FrameDrawer } from './FrameDrawer';
import classes from './Frame.module.css';
import { Loading } from './Loading';
import { Logo } from './Logo';
import { navigation } from './navigation';
import { AlertsMenu } from '../lib/notices/AlertsMenu';
import { Notices } from './notices/Notices';
import { LanguageMenu, SchemeMenu } from './Preferences';
import { TrialBanner } from './TrialBanner';
import { useFirstPaint } from './useFirstPaint';
import { useCurrentTitle } from '../lib/usePageTitle';
import { WaitingDrivers } from '../features/ops/WaitingDrivers';

/** The frame around every page: header, banner, and the page in the main landmark. */
export function Frame() {
  const { t } = useTranslation();
  const account = useAccount();
  const screen = useMatches({ select: (matches) => matches.at(-1)?.staticData.screen ?? false });
  const map = useMatches({ select: (matches) => matches.at(-1)?.staticData.map ?? false });
  const main = useRef<HTMLElement>(null);
  useFocusOnNewPage(main);
  useFirstPaint();
  return (
    <Box className={classes.frame} data-screen={screen || undefined} data-map={map || undefined}>
      <a className={classes.skip} href="#main">{t('skip')}</a>
      <div className={classes.top}>
        <Header />
        <TrialBanner />
        {account && account.role !== 'operator' && <ConnectionBanner />}
        <div className={classes.toasts}><Notifications withinPortal={false} position="top-center" limit={3} /></div>
      </div>
      {account && account.role !== 'operator' && <Notices />}
      <main id="main" ref={main} tabIndex={-1} className={classes.main}>
        <Suspense fallback={<Loading />}>
          <Outlet />
        </Suspense>
      </main>
      <Announcer />
    </Box>
  );
}

function Header() {
  const { t } = useTranslation();
  const account = useAccount();
  const [opened, drawer] = useDisclosure(false);
  return (
    <header className={classes.header}>
      <UnstyledButton component={Link} to={account ? homeOf(account.role) : '/'} className={classes.logo} aria-label={t('home')}>
        <Logo />
      </UnstyledButton>
      {account && (
        <nav aria-label={t('nav.label')} className={classes.nav}>
          {navigation[account.role].map(({ to, text, icon: Icon }) => (
            <Link key={to} to={to} activeOptions={{ exact: to === '/ops' }} className={classes.link}>
              <Icon size={18} aria-hidden="true" />
              {t(`nav.${text}`)}
              {to === '/ops/approvals' && <WaitingDrivers />}
            </Link>
          ))}
        </nav>
      )}
      <Group gap={4} ml="auto" wrap="nowrap">
        {account && account.role !== 'operator' && <AlertsMenu />}
        <Group gap={4} wrap="nowrap" visibleFrom="sm">
          <LanguageMenu />
          <SchemeMenu />
          {account ? <AccountMenu account={account} /> : <Link to="/login" className={classes.link}>{t('logIn')}</Link>}
        </Group>
        <ActionIcon hiddenFrom="sm" variant="subtle" color="gray" size={44} onClick={drawer.open} aria-label={t('menu')}>
          <IconMenu2 size={22} />
        </ActionIcon>
      </Group>
      <Drawer opened={opened} onClose={drawer.close} position="right" size="xs" title={<Logo />}
        closeButtonProps={{ 'aria-label': t('close') }}>
        <FrameDrawer account={account} close={drawer.close} />
      </Drawer>
    </header>
  );
}

/** Moves the keyboard's focus to the new page, as browsers do when they load one. */
function useFocusOnNewPage(main: React.RefObject<HTMLElement | null>): void {
  const pathname = useRouterState({ select: (s) => s.resolvedLocation?.pathname });
  const before = useRef(pathname);
  useEffect(() => {
    if (before.current !== undefined && pathname !== before.current) main.current?.focus({ preventScroll: true });
    before.current = pathname;
  }, [pathname, main]);
}

/** Reads the title of a new page aloud. */
function Announcer() {
  const title = useCurrentTitle();
  return <VisuallyHidden role="status">{title}</VisuallyHidden>;
}
