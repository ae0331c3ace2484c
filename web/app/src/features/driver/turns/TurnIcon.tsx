import { IconFlagFilled, IconMapPinFilled } from '@tabler/icons-react';

import type { Move } from './words';

/** The arrows to the left, in a box of 24 by 24, and the one ahead; those to the right are mirrored. */
const arrows = {
  up: 'M12 21V4M6 10l6-6 6 6',
  left: 'M17 21v-7a4 4 0 0 0-4-4H4M9.5 4.5 4 10l5.5 5.5',
  slight: 'M15 21v-6.5L6.5 5M6 12V4.5h7.5',
  sharp: 'M17.5 21V7.6a1.6 1.6 0 0 0-2.73-1.13L6 15.25M6 7.5v8h8',
  round: 'M17 21V9a4.75 4.75 0 0 0-9.5 0v8M3 12.5 7.5 17l4.5-4.5',
  roundabout: 'M9.5 22v-6.5M9.5 15.5a4.75 4.75 0 1 1 4.7-5.5H22M18.25 6.25 22 10l-3.75 3.75',
  enter: 'M12 21v-6M12 15a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9z',
} as const;

const shapes: Readonly<Record<Exclude<Move, 'atPickup' | 'atDropoff'>, readonly [arrow: keyof typeof arrows, mirrored: boolean]>> = {
  depart: ['up', false], straight: ['up', false], round: ['round', false],
  left: ['left', false], right: ['left', true],
  slight_left: ['slight', false], slight_right: ['slight', true],
  sharp_left: ['sharp', false], sharp_right: ['sharp', true],
  roundabout: ['roundabout', false], enter: ['enter', false],
};

/** What a turn looks like from above, the way ahead upwards. The words beside it say the same. */
export function TurnIcon({ move, size }: { move: Move; size: number }) {
  if (move === 'atPickup') return <IconMapPinFilled size={size} aria-hidden="true" />;
  if (move === 'atDropoff') return <IconFlagFilled size={size} aria-hidden="true" />;
  const [arrow, mirrored] = shapes[move];
  return (
    <svg viewBox="0 0 24 24" width={size} height={size} fill="none" stroke="currentColor" strokeWidth={2.6} strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      <path d={arrows[arrow]} transform={mirrored ? 'matrix(-1 0 0 1 24 0)' : undefined} />
    </svg>
  );
}
