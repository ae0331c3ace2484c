import { Anchor, Drawer, Group, Text } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useTranslation } from 'react-i18next';

import { useServerConfig } from '../../../api/queries';
import { distance, duration } from '../../../lib/format';
import type { Planned } from '../../../lib/trip/route';
import { TurnIcon } from './TurnIcon';
import classes from './turns.module.css';
import { moveOf, stepText, turnDistance, type Goal } from './words';

interface Props {
  readonly planned: Planned;
  /** The index of the turn to make next. */
  readonly next: number;
  /** How far that is, in metres; null if unknown. */
  readonly toM: number | null;
  readonly goal: Goal;
  readonly onClose: () => void;
}

/** All turns of the route, in order. */
export default function TurnList({ planned, next, toM, goal, onClose }: Props) {
  const { t } = useTranslation('driver');
  const wide = useMediaQuery('(min-width: 48em)', undefined, { getInitialValueInEffect: false });
  const streets = useServerConfig().data?.map.streets;
  const { steps } = planned.route;
  return (
    <Drawer opened onClose={onClose} position={wide ? 'left' : 'bottom'} size={wide ? 412 : 'auto'} title={t('turns.list')} radius={wide ? 0 : 'lg'}
      closeButtonProps={{ 'aria-label': t('turns.close'), size: 44 }} classNames={{ title: classes.title, content: classes.sheet }}>
      <ol className={classes.list}>
        {steps.map((step, i) => (
          <li key={i} className={classes.row} data-done={i < next || undefined} aria-current={i === next ? 'step' : undefined}>
            <TurnIcon move={moveOf(step, goal)} size={28} />
            <Text span className={classes.sentence}>{stepText(t, step, goal)}</Text>
            <Text span className={classes.length}>{i === next && toM !== null ? turnDistance(toM) : i > next ? turnDistance(steps[i - 1]?.distance_m ?? 0) : ''}</Text>
          </li>
        ))}
      </ol>
      <Group justify="space-between" mt="md">
        <Text size="sm" c="dimmed">{t('trip.estimate', { distance: distance(planned.route.distance_m), duration: duration(planned.route.duration_s) })}</Text>
        {streets && <Text size="sm" c="dimmed">{t('turns.credit')}<Anchor inherit href={streets.attribution_url} target="_blank" rel="noreferrer" underline="always">{streets.attribution}</Anchor></Text>}
      </Group>
    </Drawer>
  );
}
