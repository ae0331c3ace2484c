import type { RouteStep } from '@hexhail/client';
import { ActionIcon, Badge, Text, UnstyledButton, VisuallyHidden } from '@mantine/core';
import { IconList, IconRoute2, IconRouteOff, IconVolume, IconVolumeOff } from '@tabler/icons-react';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { Planned } from '../../../lib/trip/route';
import { TurnIcon } from './TurnIcon';
import classes from './turns.module.css';
import type { Drive } from './useGuidance';
import type { Voice } from './useVoice';
import { moveOf, stepText, turnDistance, type Goal } from './words';

const TurnList = lazy(() => import('./TurnList'));

interface Props {
  readonly planned: Planned;
  /** Where the car is on the route; null while its position is unknown. */
  readonly drive: Drive | null;
  readonly goal: Goal;
  readonly voice: Voice;
  /** What screen readers announce; it changes as often as a voice would speak. */
  readonly said: string;
  /** Whether the route has just replaced another one. */
  readonly fresh: boolean;
}

/** The next turn, as large as a driver needs it, the one after it, and the way to all of them. */
export function TurnBanner({ planned, drive, goal, voice, said, fresh }: Props) {
  const { t } = useTranslation('driver');
  const [listed, setListed] = useState(false);
  const { steps } = planned.route;
  const next = drive ? drive.guidance.next : 0;
  const step = steps[next];
  if (!step) return null;
  const after = steps[next + 1];
  const astray = drive?.guidance.astray === true;
  return (
    <section className={classes.banner} data-turn-banner aria-label={t('turns.label')}>
      <div className={classes.main}>
        <UnstyledButton className={classes.turn} onClick={() => setListed(true)} aria-haspopup="dialog">
          {astray
            ? <><IconRoute2 size={44} stroke={2.2} aria-hidden="true" /><span className={classes.words}><span className={classes.street}>{t('turns.astray')}</span><span>{t('turns.astrayText')}</span></span></>
            : <Next step={step} toM={drive?.guidance.toM ?? 0} goal={goal} />}
          <VisuallyHidden>{t('turns.open')}</VisuallyHidden>
        </UnstyledButton>
        <div className={classes.tools}>
          {voice.available && (
            <ActionIcon className={classes.tool} size={44} radius="xl" variant="transparent" aria-pressed={voice.on} aria-label={t(voice.on ? 'turns.voiceOff' : 'turns.voiceOn')}
              onClick={() => voice.toggle(t('turns.voiceReady'))}>
              {voice.on ? <IconVolume size={24} aria-hidden="true" /> : <IconVolumeOff size={24} aria-hidden="true" />}
            </ActionIcon>
          )}
          {!voice.available && <IconList className={classes.hint} size={24} aria-hidden="true" />}
        </div>
      </div>
      {(fresh || (after && !astray)) && (
        <div className={classes.after}>
          {after && !astray && <><span>{t('turns.then')}</span><TurnIcon move={moveOf(after, goal)} size={20} /><Text span truncate inherit>{placeName(t, after, goal)}</Text></>}
          {fresh && <Badge className={classes.fresh} color="dark" variant="filled" tt="none">{t('turns.newRoute')}</Badge>}
        </div>
      )}
      <VisuallyHidden role="status">{said}</VisuallyHidden>
      <Suspense fallback={null}>
        {listed && <TurnList planned={planned} next={next} toM={drive?.guidance.toM ?? null} goal={goal} onClose={() => setListed(false)} />}
      </Suspense>
    </section>
  );
}

/** The turn to make: its arrow, how far it is, and onto which street. Whole sentences are for those who hear the page. */
function Next({ step, toM, goal }: { step: RouteStep; toM: number; goal: Goal }) {
  const { t } = useTranslation('driver');
  const move = moveOf(step, goal);
  return (
    <>
      <TurnIcon move={move} size={52} />
      <span className={classes.words}>
        <span className={classes.far} data-testid="turn-distance">{turnDistance(toM)}</span>
        <span className={classes.street} aria-hidden="true">{placeName(t, step, goal)}</span>
        <VisuallyHidden>{stepText(t, step, goal)}</VisuallyHidden>
      </span>
    </>
  );
}

/** Where a turn leads, short: the street, or what to do where it has no name. */
function placeName(t: ReturnType<typeof useTranslation<'driver'>>['t'], step: RouteStep, goal: Goal): string {
  const move = moveOf(step, goal);
  if (move === 'atPickup' || move === 'atDropoff') return t(`turns.do.${move}`);
  if (move === 'roundabout') return step.street === '' ? t('turns.exit', { exit: step.exit }) : t('turns.exitOf', { exit: step.exit, street: step.street });
  return step.street === '' ? t(`turns.do.${move}`, { exit: step.exit }) : step.street;
}

/** Says that there are no turns here, and that the line on the map is none to drive along. */
export function NoTurns() {
  const { t } = useTranslation('driver');
  return (
    <section className={classes.banner} data-turn-banner data-plain aria-label={t('turns.label')}>
      <div className={classes.main} role="status">
        <IconRouteOff size={32} aria-hidden="true" />
        <span className={classes.words}>
          <span className={classes.street}>{t('turns.straight')}</span>
          <span>{t('turns.straightText')}</span>
        </span>
      </div>
    </section>
  );
}
