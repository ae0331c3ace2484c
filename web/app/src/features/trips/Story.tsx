import { Text, Timeline } from '@mantine/core';
import {
  IconArrowsExchange, IconCar, IconCheck, IconClockX, IconFlag, IconHandStop, IconRadar, IconStar, IconUser, IconUserCheck, IconX,
} from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { useServerConfig } from '../../api/queries';
import { dateAndTime, timeOfDay } from '../../lib/format';
import type { Reader } from '../../lib/trip/words';
import { story, type TripEvent } from './timeline';

const icons: Record<TripEvent['kind'], ReactNode> = {
  requested: <IconUser size={14} />,
  wave_planned: <IconRadar size={14} />,
  accepted: <IconUserCheck size={14} />,
  offers_ended: <IconX size={14} />,
  matched: <IconCheck size={14} />,
  exchanged: <IconArrowsExchange size={14} />,
  released: <IconHandStop size={14} />,
  arrived: <IconFlag size={14} />,
  started: <IconCar size={14} />,
  completed: <IconCheck size={14} />,
  cancelled: <IconX size={14} />,
  expired: <IconClockX size={14} />,
  rated: <IconStar size={14} />,
};

/** A trip's events as a list of sentences with their times. */
export function Story({ events, reader }: { events: readonly TripEvent[]; reader: Reader }) {
  const { t } = useTranslation('trips');
  const steps = story(t, events, reader, useServerConfig().data?.cell_ring_m);
  return (
    <Timeline bulletSize={26} lineWidth={2} active={steps.length} role="list">
      {steps.map((step) => (
        <Timeline.Item key={step.key} bullet={icons[step.kind]} title={step.text} role="listitem">
          {step.detail !== undefined && <Text size="sm">{step.detail}</Text>}
          <Text size="sm" c="dimmed" component="time" dateTime={step.at} title={dateAndTime(step.at)}>{timeOfDay(step.at)}</Text>
        </Timeline.Item>
      ))}
    </Timeline>
  );
}
