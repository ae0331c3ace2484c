import type { TFunction } from 'i18next';

const known = [
  'rider_busy', 'no_route', 'invalid_point', 'unknown_vehicle_class', 'too_many_requests', 'wrong_status', 'not_found', 'gave_up', 'unsent',
] as const;

/** What a refusal means to a rider. Codes without words of their own get general ones. */
export function problemText(t: TFunction<'rider'>, code: string): string {
  const word = known.find((k) => k === code);
  return t(`problem.${word ?? 'other'}`);
}
