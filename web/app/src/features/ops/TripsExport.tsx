import { Button, Menu } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation } from '@tanstack/react-query';
import { IconDownload } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { http } from '../../api/auth';
import { call } from '../../api/http';
import { ApiError } from '../../api/problem';
import { save } from '../../lib/save';
import { opsProblemText } from './table/problem';
import { boundsOf, statusesOf, type TripsSearch } from './table/search';

const types = { csv: 'text/csv', jsonl: 'application/jsonl' } as const;
type Format = keyof typeof types;

/** Downloads the trips that the list's filters select, all of them and not only those that are loaded. */
export function TripsExport({ search }: { search: TripsSearch }) {
  const { t } = useTranslation('ops');
  const download = useMutation({
    mutationFn: async (format: Format) => {
      const now = new Date();
      const { q, account } = search;
      const status = search.status === 'live' ? { live: true } : { status: [...statusesOf(search.status)] };
      const file = await call(http.GET('/v1/admin/trips/export', {
        params: { query: { format, q, account, ...boundsOf(search, now), ...status } }, parseAs: 'blob',
      }), types[format]);
      save(file, `hexhail-trips-${now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z.${format}`);
    },
    onSuccess: () => notifications.show({ message: t('trips.export.done'), color: 'lagoon', role: 'status' }),
    onError: (e) => notifications.show({ message: failure(e), color: 'red', role: 'alert' }),
  });
  const failure = (e: unknown) => {
    // Filters come from lists and links: what the server refuses is their number of trips.
    if (e instanceof ApiError && e.code === 'invalid_argument') return t('trips.export.tooMany');
    if (e instanceof ApiError && e.code === 'too_many_requests') return t('trips.export.wait');
    return t('trips.export.failed', { why: opsProblemText(e) });
  };
  return (
    <Menu position="bottom-end" withinPortal withInitialFocusPlaceholder={false}>
      <Menu.Target>
        <Button variant="default" size="compact-sm" leftSection={<IconDownload size={16} aria-hidden="true" />} loading={download.isPending} aria-busy={download.isPending}>
          {t('trips.export.button')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t('trips.export.what')}</Menu.Label>
        <Menu.Item onClick={() => download.mutate('csv')}>{t('trips.export.csv')}</Menu.Item>
        <Menu.Item onClick={() => download.mutate('jsonl')}>{t('trips.export.jsonl')}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
