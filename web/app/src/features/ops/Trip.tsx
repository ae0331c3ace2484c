import { Alert, Box, Button, Card, Center, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { IconAlertTriangle, IconArrowLeft, IconBan, IconHistory, IconRefresh, IconRefreshDot } from '@tabler/icons-react';
import { useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { call, type Schemas } from '../../api/http';
import { asApiError } from '../../api/problem';
import { explainQuery, keys, useServerConfig } from '../../api/queries';
import { http } from '../../api/auth';
import { usePageTitle } from '../../lib/usePageTitle';
import { EventLog } from './explain/EventLog';
import classes from './explain/explain.module.css';
import { ExplainMap } from './explain/ExplainMap';
import { Facts } from './explain/Facts';
import { Policy } from './explain/Policy';
import { summaryOf, wonOffer } from './explain/summary';
import { Timeline } from './explain/Timeline';
import { Waves } from './explain/Waves';
import { useLiveCity, useNeed } from './live/hooks';
import { TripStatusBadge } from './table/Badges';
import { CopyId, shortId } from './table/CopyId';
import { AnchorLink, ButtonLink } from './table/links';
import { opsProblemText } from './table/problem';
import { clock } from './table/times';
import { actionsOn, useTripActions } from './TripActions';

type Explain = Schemas['ExplainView'];

const route = getRouteApi('/ops/trips/$id');
const need = { trips: true } as const;

/** Why a trip went as it did: each wave, who was considered, what became of each offer. */
export default function OpsTripPage() {
  const { t } = useTranslation('ops');
  const { id } = route.useParams();
  const { data, error, refetch, isFetching, dataUpdatedAt } = useQuery(explainQuery(id));
  useNews(id, data?.trip.version);
  usePageTitle(t('explain.title', { id: shortId(id) }));
  return (
    <Box p="md">
      <Group justify="space-between" mb="sm">
        <AnchorLink to="/ops/trips" size="sm" c="dimmed" py={10}>
          <Group gap={4} component="span" display="inline-flex"><IconArrowLeft size={16} aria-hidden="true" />{t('trips.title')}</Group>
        </AnchorLink>
        {data && (
          <Group gap="xs">
            <Text size="sm" c="dimmed">{t('trips.list.at', { time: clock(new Date(dataUpdatedAt)) })}</Text>
            <Button variant="default" size="compact-sm" leftSection={<IconRefresh size={16} aria-hidden="true" />} loading={isFetching} onClick={() => void refetch()}>{t('trips.list.refresh')}</Button>
          </Group>
        )}
      </Group>
      {data ? <Loaded explain={data} at={dataUpdatedAt} /> : error ? <Failed error={error} retry={() => void refetch()} /> : <Waiting />}
    </Box>
  );
}

/** Reads the explanation again whenever the feed shows that the trip has changed. */
function useNews(id: string, version: number | undefined): void {
  useNeed(need);
  const { store } = useLiveCity();
  const queries = useQueryClient();
  useEffect(() => {
    if (version === undefined) return;
    let known = version;
    const look = () => {
      const now = store.city.trips.get(id)?.version ?? 0;
      if (now <= known) return;
      known = now;
      void queries.invalidateQueries({ queryKey: keys.ops.explain(id), exact: true });
    };
    look();
    return store.subscribe('trips', look);
  }, [id, version, store, queries]);
}

function Waiting() {
  const { t } = useTranslation('ops');
  return (
    <div className={classes.columns} role="status" aria-label={t('trips.list.loading')}>
      <Stack><Skeleton h={110} radius="lg" /><Skeleton h={260} radius="lg" /><Skeleton h={260} radius="lg" /></Stack>
      <Skeleton h={420} radius="lg" />
    </div>
  );
}

function Failed({ error, retry }: { error: unknown; retry: () => void }) {
  const { t } = useTranslation('ops');
  const gone = asApiError(error).code === 'not_found';
  return (
    <Center mih="50vh">
      <Alert color="red" role="alert" icon={<IconAlertTriangle size={18} />} title={t(gone ? 'explain.gone' : 'trips.list.failed')} maw={480}>
        {!gone && <Stack align="start" gap="sm">{opsProblemText(error)}<Button size="compact-sm" variant="default" onClick={retry}>{t('trips.list.retry')}</Button></Stack>}
      </Alert>
    </Center>
  );
}

function Loaded({ explain, at }: { explain: Explain; at: number }) {
  const { t } = useTranslation('ops');
  const { trip } = explain;
  const waves = explain.waves ?? [];
  const offers = explain.offers ?? [];
  const requestedAt = trip.requested_at ?? explain.events?.[0]?.at ?? '';
  const now = useMemo(() => new Date(at), [at]);
  const won = wonOffer(explain)?.wave;
  // The wave that decided is of interest first; else the newest.
  const [chosen, setChosen] = useState<number | null | 'first'>('first');
  const shown = chosen === 'first' ? won ?? waves.at(-1)?.wave ?? null : chosen;
  const [pointed, setPointed] = useState<string | null>(null);
  const track = useTrack(trip);
  const ringM = useServerConfig().data?.cell_ring_m ?? null;
  const pick = (driver: string) => {
    setPointed(driver);
    document.querySelector(`tr[data-driver="${CSS.escape(driver)}"]`)?.scrollIntoView({ block: 'center' });
  };
  return (
    <Stack>
      <Header explain={explain} now={now} />
      <div className={classes.columns}>
        <Stack>
          <Card padding="md"><Title order={2} size="h4" mb="sm">{t('explain.waves')}</Title>
            <Waves waves={waves} offers={offers} requestedAt={requestedAt} vehicleClass={trip.vehicle_class} driver={trip.driver?.id} ringM={ringM} shown={shown} onShow={setChosen} pointed={pointed} onPoint={setPointed} />
          </Card>
          <Card padding="md"><Title order={2} size="h4" mb="sm">{t('explain.timeline')}</Title><Timeline offers={offers} driver={trip.driver?.id} requestedAt={requestedAt} now={now} /></Card>
          <Card padding="md"><Title order={2} size="h4" mb="sm">{t('explain.log')}</Title><EventLog events={explain.events ?? []} requestedAt={requestedAt} /></Card>
        </Stack>
        <Stack className={classes.side}>
          <Card padding="md"><ExplainMap trip={trip} track={track} wave={waves.find((w) => w.wave === shown) ?? null} pointed={pointed} onPick={pick} /></Card>
          <Card padding="md"><Title order={2} size="h4" mb="sm">{t('explain.policy.title')}</Title><Policy policy={explain.policy} /></Card>
        </Stack>
      </div>
    </Stack>
  );
}

function Header({ explain, now }: { explain: Explain; now: Date }) {
  const { t } = useTranslation('ops');
  const { trip } = explain;
  const { ask, dialog } = useTripActions();
  const possible = actionsOn(trip);
  return (
    <Card padding="md">
      <Group justify="space-between" align="start">
        <Group gap="sm"><Title order={1} size="h3">{t('explain.heading')}</Title><CopyId id={trip.id} /><TripStatusBadge status={trip.status} /></Group>
        <Group gap="xs">
          {possible.includes('redispatch') && (
            <Button size="xs" variant="default" leftSection={<IconRefreshDot size={16} aria-hidden="true" />} onClick={() => ask('redispatch', trip)}>
              {t(trip.status === 'requested' ? 'trips.actions.look' : 'trips.actions.redispatch')}
            </Button>
          )}
          {possible.includes('cancel') && (
            <Button size="xs" color="red.8" variant="filled" leftSection={<IconBan size={16} aria-hidden="true" />} onClick={() => ask('cancel', trip)}>{t('trips.actions.cancel')}</Button>
          )}
          <ButtonLink size="xs" variant="subtle" to="/ops/audit" search={{ subject: trip.id }} leftSection={<IconHistory size={16} aria-hidden="true" />}>{t('trips.actions.audit')}</ButtonLink>
        </Group>
      </Group>
      <Text size="lg" mt="sm" mb="md" maw={900}>{summaryOf(explain, t, now)}</Text>
      <Facts trip={trip} by={explain.estimate_by} />
      {dialog}
    </Card>
  );
}

/** Where the driver went. It comes with the trip's detail, and grows while the trip lives. */
function useTrack(trip: Schemas['Trip']) {
  const { data } = useQuery({
    queryKey: keys.ops.track(trip.id, trip.version),
    queryFn: ({ signal }) => call(http.GET('/v1/admin/trips/{id}', { signal, params: { path: { id: trip.id } } })),
    enabled: trip.matched_at !== undefined,
  });
  return useMemo(() => data?.track ?? [], [data]);
}
