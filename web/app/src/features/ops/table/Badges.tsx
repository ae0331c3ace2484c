import { Badge } from '@mantine/core';
import { useTranslation } from 'react-i18next';

import type { Schemas } from '../../../api/http';
import type { AccountRole, AccountStatus } from './search';
import classes from './Badges.module.css';

export type AnyTripStatus = Schemas['Trip']['status'];

type Tone = 'search' | 'live' | 'good' | 'bad' | 'quiet';

const tones: Readonly<Record<AnyTripStatus, Tone>> = {
  status_unspecified: 'quiet', requested: 'search', matched: 'live', arrived: 'live', in_progress: 'live',
  completed: 'good', cancelled: 'quiet', expired: 'bad',
};

/** A word on a ground that says how things stand; readable in both schemes. */
export function Tag({ tone, children }: { tone: Tone; children: React.ReactNode }) {
  return <Badge className={classes.tag} data-tone={tone} variant="light" size="sm" radius="sm">{children}</Badge>;
}

export function TripStatusBadge({ status }: { status: AnyTripStatus }) {
  const { t } = useTranslation('ops');
  return <Tag tone={tones[status]}>{t(`trips.status.${status}`)}</Tag>;
}

export function AccountStatusBadge({ status }: { status: AccountStatus }) {
  const { t } = useTranslation('ops');
  return <Tag tone={status === 'active' ? 'good' : 'bad'}>{t(`people.status.${status}`)}</Tag>;
}

/** Whether an account may be used, and a driver drive. */
export function StandingBadge({ account: { status, approval } }: { account: Pick<Schemas['AccountView'], 'status' | 'approval'> }) {
  const { t } = useTranslation('ops');
  if (status === 'active' && approval?.state === 'pending') return <Tag tone="search">{t('people.status.pending')}</Tag>;
  if (status === 'active' && approval?.state === 'refused') return <Tag tone="bad">{t('people.status.refused')}</Tag>;
  return <AccountStatusBadge status={status} />;
}

export function RoleBadge({ role }: { role: AccountRole }) {
  const { t } = useTranslation('ops');
  return <Tag tone={role === 'operator' ? 'live' : 'quiet'}>{t(`people.role.${role}`)}</Tag>;
}
