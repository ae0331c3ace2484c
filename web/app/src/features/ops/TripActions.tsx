import { ActionIcon, Menu, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { IconBan, IconDotsVertical, IconHistory, IconRefreshDot } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { call } from '../../api/http';
import { http } from '../../api/auth';
import { keys, accountQuery } from '../../api/queries';
import { ofNewerServer } from '../../lib/trip/status';
import type { TripRow } from './live/follow';
import { shortId } from './table/CopyId';
import { fullName } from './table/PersonLink';
import { ReasonDialog } from './table/ReasonDialog';
import { replaceInLists } from './table/useList';

type Trip = TripRow;
export type TripAction = 'cancel' | 'redispatch';

/** What an operator may do to a trip as it stands. */
export function actionsOn({ status }: Pick<Trip, 'status'>): readonly TripAction[] {
  switch (status) {
    case 'requested':
    case 'matched':
    case 'arrived':
      return ['redispatch', 'cancel'];
    case 'in_progress':
      return ['cancel'];
    case 'completed':
    case 'cancelled':
    case 'expired':
    case 'status_unspecified':
      return [];
    default:
      return ofNewerServer(status, []);
  }
}

/** The dialog for cancelling and re-dispatching, and the function that opens it. */
export function useTripActions(): { ask: (action: TripAction, trip: Trip) => void; dialog: ReactNode } {
  const { t } = useTranslation('ops');
  const queries = useQueryClient();
  const [asked, setAsked] = useState<{ action: TripAction; trip: Trip } | null>(null);
  // What was asked last stays while the dialog closes.
  const [opened, setOpened] = useState(false);
  const ask = (action: TripAction, trip: Trip) => {
    setAsked({ action, trip });
    setOpened(true);
  };
  if (!asked) return { ask, dialog: null };

  const { action, trip } = asked;
  const path = { params: { path: { id: trip.id } } };
  const act = async (reason: string) => {
    const answer = await call(action === 'cancel'
      ? http.POST('/v1/admin/trips/{id}/cancel', { ...path, body: { reason } })
      : http.POST('/v1/admin/trips/{id}/redispatch', { ...path, body: { reason } }));
    return answer.trip;
  };
  const done = (next: Trip) => {
    setOpened(false);
    replaceInLists(queries, 'trips', next, (x) => x.id);
    void queries.invalidateQueries({ queryKey: keys.ops.explain(trip.id) });
    void queries.invalidateQueries({ queryKey: keys.ops.accounts });
    notifications.show({
      color: 'lagoon',
      closeButtonProps: { 'aria-label': t('trips.dialog.close') },
      message: t(`trips.actions.${action}Done`, { id: shortId(trip.id), status: t(`trips.status.${next.status}`) }),
    });
  };
  const known = trip.driver_id && queries.getQueryData(accountQuery(trip.driver_id).queryKey);
  const driverName = trip.driver?.first_name ?? (known ? fullName(known.account) : null);
  const names = { id: shortId(trip.id), rider: trip.rider?.first_name ?? '–', driver: driverName ?? t('trips.actions.theDriver') };
  const searching = trip.status === 'requested';
  const dialog = (
    <ReasonDialog opened={opened} onClose={() => setOpened(false)} act={act} onDone={done} danger={action === 'cancel'}
      title={t(action === 'cancel' ? 'trips.actions.cancelTitle' : searching ? 'trips.actions.lookTitle' : 'trips.actions.redispatchTitle', names)}
      text={t(action === 'cancel' ? 'trips.actions.cancelText' : searching ? 'trips.actions.lookText' : 'trips.actions.redispatchText', names)}
      confirm={t(action === 'cancel' ? 'trips.actions.cancel' : searching ? 'trips.actions.look' : 'trips.actions.redispatch')} />
  );
  return { ask, dialog };
}

/** A row's menu. */
export function TripMenu({ trip, ask }: { trip: Trip; ask: (action: TripAction, trip: Trip) => void }) {
  const { t } = useTranslation('ops');
  const navigate = useNavigate();
  const possible = actionsOn(trip);
  return (
    <Menu position="bottom-end" withinPortal shadow="md">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={t('trips.actions.menu', { id: shortId(trip.id) })}><IconDotsVertical size={18} /></ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {possible.includes('redispatch') && (
          <Menu.Item leftSection={<IconRefreshDot size={16} />} onClick={() => ask('redispatch', trip)}>
            {t(trip.status === 'requested' ? 'trips.actions.look' : 'trips.actions.redispatch')}…
          </Menu.Item>
        )}
        {possible.includes('cancel') && (
          <Menu.Item leftSection={<IconBan size={16} />} onClick={() => ask('cancel', trip)}><Text span c="var(--mantine-color-error)" size="sm">{t('trips.actions.cancel')}…</Text></Menu.Item>
        )}
        <Menu.Item leftSection={<IconHistory size={16} />} onClick={() => void navigate({ to: '/ops/audit', search: { subject: trip.id } })}>{t('trips.actions.audit')}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
