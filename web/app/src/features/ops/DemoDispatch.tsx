import { Alert, Button, Card, Group, SegmentedControl, Skeleton, Text, Title } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';

import { http } from '../../api/auth';
import { call } from '../../api/http';
import { keys, useDemonstration } from '../../api/queries';
import { opsProblemText } from './table/problem';

const choices = ['nearest', 'batch', 'broadcast'] as const;
type Choice = (typeof choices)[number];

/** In a demonstration: how new trips find their driver, to be compared while the city lives. Renders nothing elsewhere. */
export function DemoDispatch() {
  return useDemonstration().data ? <Dispatch /> : null;
}

function Dispatch() {
  const { t } = useTranslation('ops');
  const queries = useQueryClient();
  // Several operators may watch, each with this switch.
  const { data, isError, refetch } = useQuery({ queryKey: keys.ops.demoDispatch, queryFn: () => call(http.GET('/v1/demo/dispatch')), refetchInterval: 5_000 });
  const change = useMutation({
    mutationFn: (policy: Choice) => call(http.PUT('/v1/demo/dispatch', { body: { policy } })),
    onMutate: () => queries.cancelQueries({ queryKey: keys.ops.demoDispatch }),
    onSuccess: (now) => queries.setQueryData(keys.ops.demoDispatch, now),
    onError: (error) => notifications.show({ color: 'red', role: 'alert', closeButtonProps: { 'aria-label': t('trips.dialog.close') }, message: opsProblemText(error) }),
  });
  const shown = change.isPending ? change.variables : data?.policy;
  return (
    <Card component="section" aria-labelledby="demo-dispatch" padding="md">
      <Group justify="space-between" gap="sm">
        <Title order={2} size="h4" id="demo-dispatch">{t('demoDispatch.title')}</Title>
        {!data && !isError && <Skeleton h={36} w={260} />}
        {data && (
          <SegmentedControl aria-labelledby="demo-dispatch" value={shown ?? ''} onChange={(value) => change.mutate(value as Choice)} disabled={change.isPending}
            data={choices.map((value) => ({ value, label: t(`demoDispatch.${value}`) }))} />
        )}
      </Group>
      {isError && !data && (
        <Alert color="red" mt="sm" title={t('demoDispatch.failed')}>
          <Button size="xs" variant="white" color="dark" onClick={() => void refetch()}>{t('charts.retry')}</Button>
        </Alert>
      )}
      {shown && <Text size="sm" c="dimmed" mt="xs" role="status">{t(`demoDispatch.${shown}Text`)} {t('demoDispatch.newTrips')}</Text>}
    </Card>
  );
}
