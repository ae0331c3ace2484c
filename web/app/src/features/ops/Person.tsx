import { Alert, Box, Button, Card, Center, Group, SimpleGrid, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { IconAlertTriangle, IconArrowLeft, IconHistory } from '@tabler/icons-react';
import { useEffect, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { call, type Schemas } from '../../api/http';
import { asApiError } from '../../api/problem';
import { http } from '../../api/auth';
import { keys, accountQuery } from '../../api/queries';
import { Avatar } from '../../lib/Avatar';
import { number, stars } from '../../lib/format';
import { usePageTitle } from '../../lib/usePageTitle';
import { vehicleClassName } from '../../lib/vehicle';
import { useLiveCity, useNeed } from './live/hooks';
import { PersonActions } from './PersonActions';
import { RoleBadge, StandingBadge, TripStatusBadge } from './table/Badges';
import { CopyId } from './table/CopyId';
import { fullName } from './table/PersonLink';
import { AnchorLink, ButtonLink } from './table/links';
import { opsProblemText } from './table/problem';
import { stamp } from './table/times';
import { Presence } from './table/Presence';
import { Fare, Place } from './table/TripParts';

type PersonView = Schemas['AdminAccountView'];

const route = getRouteApi('/ops/people/$id');
const recent = 15;
const need = { drivers: true, trips: true } as const;

/** One person: who that is, what they are doing, and what operators can do about it. */
export default function OpsPersonPage() {
  const { t } = useTranslation('ops');
  const { id } = route.useParams();
  useNeed(need);
  useNews(id);
  const { data, error, refetch } = useQuery(accountQuery(id));
  usePageTitle(data ? fullName(data.account) : t('people.title'));
  return (
    <Box p="md" maw={1100} mx="auto">
      <AnchorLink to="/ops/people" size="sm" c="dimmed" py={10} display="inline-block"><Group gap={4} component="span" display="inline-flex"><IconArrowLeft size={16} aria-hidden="true" />{t('people.title')}</Group></AnchorLink>
      {data ? <Loaded person={data} /> : error ? <Failed error={error} retry={() => void refetch()} /> : <Waiting />}
    </Box>
  );
}

/** Reads the person and their trips again whenever the feed shows that one of their trips has changed. */
function useNews(id: string): void {
  const { store } = useLiveCity();
  const queries = useQueryClient();
  useEffect(() => {
    const standing = () => [...store.city.trips.values()].filter((trip) => trip.rider_id === id || trip.driver_id === id)
      .map((trip) => `${trip.id} ${trip.version}`).sort().join();
    let known: string | null = null;
    const look = () => {
      const now = standing();
      // The first notice only repeats what the page has just read.
      if (known !== null && now !== known) void queries.invalidateQueries({ queryKey: keys.ops.account(id) });
      known = now;
    };
    return store.subscribe('trips', look);
  }, [id, store, queries]);
}

function Waiting() {
  const { t } = useTranslation('ops');
  return <Stack mt="sm" role="status" aria-label={t('trips.list.loading')}><Skeleton h={140} radius="lg" /><Skeleton h={60} radius="lg" /><Skeleton h={240} radius="lg" /></Stack>;
}

function Failed({ error, retry }: { error: unknown; retry: () => void }) {
  const { t } = useTranslation('ops');
  const gone = asApiError(error).code === 'not_found';
  return (
    <Center mih="50vh">
      <Alert color="red" role="alert" icon={<IconAlertTriangle size={18} />} title={t(gone ? 'people.gone' : 'trips.list.failed')} maw={480}>
        <Stack align="start" gap="sm">
          {!gone && opsProblemText(error)}
          {!gone && <Button size="compact-sm" variant="default" onClick={retry}>{t('trips.list.retry')}</Button>}
        </Stack>
      </Alert>
    </Center>
  );
}

function Loaded({ person }: { person: PersonView }) {
  const { t } = useTranslation('ops');
  const { account } = person;
  return (
    <Stack mt="sm">
      <Card padding="lg">
        <Group align="start" gap="lg">
          <Avatar person={account} variant="filled" size={96} />
          <Box style={{ flex: 1, minWidth: 220 }}>
            <Title order={1} size="h2">{fullName(account)}</Title>
            <Group gap={6} mt={4}><RoleBadge role={account.role} /><StandingBadge account={account} />{account.role === 'driver' && <Text span size="sm"><Presence account={account} /></Text>}</Group>
            <SimpleGrid component="dl" cols={{ base: 1, xs: 2, md: 3 }} spacing="md" verticalSpacing="xs" mt="md" mb={0}>
              <Fact name={t('people.column.username')}>{account.username}</Fact>
              <Fact name={t('people.column.id')}><CopyId id={account.id} /></Fact>
              <Fact name={t('people.column.rating')}>{stars(account.rating_x100) ? `★ ${stars(account.rating_x100) ?? ''} (${number(account.ratings)})` : t('people.unrated')}</Fact>
              {account.vehicle && <Fact name={t('people.column.vehicle')}>{account.vehicle.plate} · {vehicleClassName(account.vehicle.class)}</Fact>}
              <Fact name={t('people.column.created')}>{stamp(account.created_at)}</Fact>
              <Fact name={t('people.signIn')}>{person.issuer ? t('people.outside', { issuer: person.issuer }) : t('people.password')}</Fact>
            </SimpleGrid>
          </Box>
        </Group>
        <PersonActions person={person} />
      </Card>
      {person.active_trip && (
        <Alert color="lagoon" variant="light" title={t('people.activeTrip')}>
          <Group gap="sm"><CopyId id={person.active_trip} trip /><AnchorLink to="/ops/trips/$id" params={{ id: person.active_trip }} size="sm" c="inherit" underline="always">{t('people.openTrip')}</AnchorLink></Group>
        </Alert>
      )}
      {account.role !== 'operator' && <RecentTrips account={account} />}
      <Group>
        <ButtonLink to="/ops/audit" search={{ subject: account.id }} variant="subtle" size="compact-sm" leftSection={<IconHistory size={16} aria-hidden="true" />}>{t('people.auditOf')}</ButtonLink>
        {account.role === 'operator' && <ButtonLink to="/ops/audit" search={{ actor: account.id }} variant="subtle" size="compact-sm" leftSection={<IconHistory size={16} aria-hidden="true" />}>{t('people.auditBy')}</ButtonLink>}
      </Group>
    </Stack>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <Box style={{ minWidth: 0 }}>
      <Text component="dt" size="xs" c="dimmed">{name}</Text>
      <Text component="dd" size="sm" m={0} style={{ overflowWrap: 'anywhere' }}>{children}</Text>
    </Box>
  );
}

function RecentTrips({ account }: { account: PersonView['account'] }) {
  const { t } = useTranslation('ops');
  const { data, error, refetch } = useQuery({
    queryKey: keys.ops.tripsOf(account.id),
    queryFn: ({ signal }) => call(http.GET('/v1/admin/trips', { signal, params: { query: { account: account.id, limit: recent } } })),
  });
  const trips = data?.items ?? [];
  return (
    <Card padding="lg">
      <Group justify="space-between" mb="sm">
        <Title order={2} size="h4">{t('people.recentTrips')}</Title>
        <AnchorLink to="/ops/trips" search={{ account: account.id }} size="sm">{t('people.allTrips')}</AnchorLink>
      </Group>
      {error && <Group><Text size="sm" role="alert">{opsProblemText(error)}</Text><Button size="compact-sm" variant="default" onClick={() => void refetch()}>{t('trips.list.retry')}</Button></Group>}
      {!data && !error && <Skeleton h={120} />}
      {data && trips.length === 0 && <Text size="sm" c="dimmed">{t('people.noTrips')}</Text>}
      <Stack component="ul" gap={0} p={0} m={0} style={{ listStyle: 'none' }}>
        {trips.map((trip) => (
          <Group component="li" key={trip.id} gap="sm" py={6} wrap="wrap" style={{ borderTop: '1px solid var(--mantine-color-default-border)' }}>
            <Box w={96}><TripStatusBadge status={trip.status} /></Box>
            <AnchorLink to="/ops/trips/$id" params={{ id: trip.id }} size="sm" w={150}>{trip.requested_at ? stamp(trip.requested_at) : trip.id}</AnchorLink>
            <Text size="sm" style={{ flex: 1, minWidth: 160 }} truncate>
              <Place address={trip.pickup_address} point={trip.pickup} /> → <Place address={trip.dropoff_address} point={trip.dropoff} />
            </Text>
            <Text size="sm" span><Fare trip={trip} /></Text>
          </Group>
        ))}
      </Stack>
    </Card>
  );
}
