import type { TripRoute } from '@hexhail/client';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { PositionSource } from '../../../lib/map';
import type { Planned } from '../../../lib/trip/route';
import { promptText, Prompter } from './prompts';
import { NoTurns, TurnBanner } from './TurnBanner';
import { useGuidance, type Drive } from './useGuidance';
import { useVoice } from './useVoice';
import type { Goal } from './words';

interface Props {
  readonly planned: Planned;
  readonly positions: PositionSource;
  /** Whether the server has a map: only then it is a surprise that there are no turns. */
  readonly mapped: boolean;
}

/** The turns of the route that a driver drives now: shown, spoken, and announced. */
export default function Turns({ planned, positions, mapped }: Props) {
  const { i18n } = useTranslation('driver');
  const drive = useGuidance(planned, positions);
  const voice = useVoice(i18n.resolvedLanguage ?? 'en');
  const goal = goalOf(planned.route);
  const fresh = useFresh(planned.route);
  const said = useAnnounced(planned, drive, goal, fresh, voice.say);
  if (planned.way && planned.route.steps.length > 0) return <TurnBanner planned={planned} drive={drive} goal={goal} voice={voice} said={said} fresh={fresh} />;
  return mapped && !planned.way ? <NoTurns /> : null;
}

const goalOf = (route: TripRoute): Goal => (route.leg === 'ride' ? 'dropoff' : 'pickup');

/** How long a route is called new, in milliseconds. */
const freshMs = 6000;

/** Whether this route has just replaced another one of the same drive. */
function useFresh(route: TripRoute): boolean {
  const [{ of, replaces }, setOf] = useState({ of: route, replaces: false });
  if (of !== route) setOf({ of: route, replaces: of.trip_id === route.trip_id && of.leg === route.leg && of.revision !== route.revision });
  useEffect(() => {
    if (!replaces) return;
    const ending = setTimeout(() => setOf({ of, replaces: false }), freshMs);
    return () => clearTimeout(ending);
  }, [of, replaces]);
  return of === route && replaces;
}

/** The last sentence that was due, after it was given to `say`. */
function useAnnounced(planned: Planned, drive: Drive | null, goal: Goal, fresh: boolean, say: (text: string) => void): string {
  const { t } = useTranslation('driver');
  const [said, setSaid] = useState('');
  const prompter = useRef<{ of: Planned; is: Prompter } | null>(null);
  const newest = useRef(say);
  useEffect(() => {
    newest.current = say;
  });
  useEffect(() => {
    if (!drive) return;
    const began = prompter.current?.of !== planned;
    if (began) prompter.current = { of: planned, is: new Prompter() };
    const prompt = prompter.current?.is.next(drive.guidance, drive.speedMps);
    if (!prompt) return;
    const text = promptText(t, prompt, planned.route.steps, drive.guidance.toM, goal);
    const whole = began && fresh ? `${t('turns.newRoute')}. ${text}` : text;
    setSaid(whole);
    newest.current(whole);
  }, [planned, drive, goal, fresh, t]);
  return said;
}
