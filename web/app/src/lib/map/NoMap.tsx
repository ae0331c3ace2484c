import { Group, Paper, Stack, Text, Title } from '@mantine/core';
import { IconMapOff } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { CoordinateEntry } from './CoordinateEntry';
import classes from './map.module.css';
import { MapSummary } from './MapSummary';
import { paddingStyle } from './padding';
import type { RideMapProps } from './types';

/** Where there is no WebGL: what the map would show in words, and a way to pick all the same. */
export function NoMap(props: RideMapProps & { summary: string }) {
  const { t } = useTranslation('map');
  return (
    <section className={classes.map} aria-label={props.label} style={paddingStyle(props.padding)}>
      <div className={classes.noMap}>
        <Paper className={classes.noMapCard} p="md" radius="lg" shadow="sm">
          <Stack gap="sm">
            <Group gap="sm" wrap="nowrap" align="flex-start">
              <IconMapOff size={24} className={classes.noMapIcon} aria-hidden />
              <div>
                <Title order={2} size="h5">{t('noWebgl.title')}</Title>
                <Text size="sm" c="dimmed">{t(props.onPick ? 'noWebgl.pick' : 'noWebgl.text')}</Text>
              </div>
            </Group>
            {/* Another end of the ride begins with empty fields. */}
            {props.onPick && <CoordinateEntry key={props.picking} onPick={props.onPick} />}
            <MapSummary id={props.summary} map={props} visible />
          </Stack>
        </Paper>
      </div>
    </section>
  );
}
