/** Where something is done: at the pickup the arrival, at the drop-off the end of the ride. */
export type TripEnd = 'pickup' | 'dropoff';

/** The words for a driver's reasons that every app knows; docs/protocol.md lists them. */
export const farReasons = ['rider_asked', 'road_closed', 'wrong_place', 'wrong_position', 'other'] as const;
export type FarReason = (typeof farReasons)[number];

/** A step that the driver is about to take far from its place, or at an unknown position. */
export interface Far {
  readonly end: TripEnd;
  /** Straight-line metres; null: the car's position is unknown. */
  readonly awayM: number | null;
}

/** From so far on a driver is asked why, in metres: a car park's length at the pickup, a block where riders get out early. */
export const askFromM: Readonly<Record<TripEnd, number>> = { pickup: 150, dropoff: 300 };
/** The most that a vague position excuses, in metres. */
const mostExcusedM = 500;

/** Whether the car is too far from the end of the trip for the step to be taken without a word; null: near enough. */
export function farFrom(end: TripEnd, here: { readonly awayM: number; readonly accuracyM?: number | null } | null): Far | null {
  if (!here) return { end, awayM: null };
  const excused = Math.min(mostExcusedM, Math.max(0, here.accuracyM ?? 0));
  return here.awayM > askFromM[end] + excused ? { end, awayM: here.awayM } : null;
}
