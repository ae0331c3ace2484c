import { useCallback, useState } from 'react';

import type { Schemas } from '../../api/http';
import { useServerConfig, useDemonstration } from '../../api/queries';
import type { Place } from '../../lib/geocode';
import { emptyDraft, missingEnd, swapped, type Draft, type End } from './draft';
import type { Remembered } from './memory';

export type Demo = Schemas['Demonstration'];

/** The plan of a ride and the ways to change it. */
export interface Plan {
  readonly draft: Draft;
  /** The end that the next tap on the map sets. */
  readonly target: End | null;
  /** Whether the person asked for that end, and wants to see the map. */
  readonly aimed: boolean;
  readonly aim: (end: End | null) => void;
  /** Whether the person searches for that end by its name, and wants to see what is found. */
  readonly typing: boolean;
  readonly setTyping: (typing: boolean) => void;
  /** Sets the end that is aimed at, or the one given, and goes on to the one that is missing. */
  readonly choose: (place: Place, end?: End) => void;
  readonly set: (change: Partial<Draft>) => void;
  readonly swap: () => void;
  /** Plans another ride from here. */
  readonly begin: (draft: Draft) => void;
}

/** Keeps the plan, over reloads, too. */
export function usePlan(remembered: Remembered, patch: (change: Partial<Remembered>) => void): Plan {
  const draft = remembered.draft ?? emptyDraft;
  // A missing end is the target by default.
  const [aimed, aim] = useState<End | null>(null);
  const target = aimed ?? missingEnd(draft);
  // With the end that is typed: the next one is not.
  const [typed, setTyped] = useState<End | null>(null);
  const write = useCallback((next: Draft) => patch({ draft: next }), [patch]);
  return {
    draft,
    target,
    aimed: aimed !== null,
    aim,
    typing: typed !== null && typed === target,
    setTyping: (typing) => setTyped(typing ? target : null),
    choose: (place, end) => {
      const which = end ?? target;
      if (!which) return;
      write({ ...draft, [which]: place });
      setTyped(null);
      if (which === aimed) aim(null);
    },
    set: (change) => write({ ...draft, ...change }),
    swap: () => write(swapped(draft)),
    begin: (next) => {
      write(next);
      aim(null);
    },
  };
}

/** Where places are searched by name; empty where they are not. */
export function useGeocoder(): string {
  return useServerConfig().data?.map.geocoder_url ?? '';
}

/** What a demonstration suggests; undefined on ordinary servers. */
export function useDemo(): Demo | undefined {
  return useDemonstration().data;
}

/** Whether a point lies where a demonstration's drivers drive. Everywhere else is fine on ordinary servers. */
export function isServed(point: { lat: number; lng: number }, demo: Demo | undefined): boolean {
  if (!demo) return true;
  const { south, west, north, east } = demo.city.area;
  return point.lat >= south && point.lat <= north && point.lng >= west && point.lng <= east;
}
