import type { TripStatus } from '@hexhail/client';

import type { Scheme } from '../../lib/map/plainStyle';
import type { DriverState } from './live/drivers';

export type { Scheme };
export type Rgb = readonly [number, number, number];

/** What the colours of cells show. */
export const measures = ['supply', 'demand', 'wait'] as const;
export type Measure = (typeof measures)[number];

/** Where the five colours of a measure begin: drivers, waiting trips, seconds. Less than the first is left empty. */
export const steps: Readonly<Record<Measure, readonly number[]>> = {
  supply: [1, 3, 6, 12, 24],
  demand: [1, 2, 4, 8, 16],
  wait: [0.001, 5, 15, 30, 60],
};

// Each measure has one hue that grows darker on a light map and lighter on a dark one, so that the order does not hang
// on telling hues apart.
const ramps: Readonly<Record<Scheme, Readonly<Record<Measure, readonly string[]>>>> = {
  light: {
    supply: ['#a8ddd5', '#6dc3b8', '#35a297', '#0b7d74', '#02524d'],
    demand: ['#fdd9a5', '#fbb35c', '#ee8426', '#c4570c', '#833203'],
    wait: ['#d9d0ee', '#b7a3de', '#9374c9', '#6f45aa', '#47217c'],
  },
  dark: {
    supply: ['#0d4642', '#12685f', '#1e9186', '#4dbfb1', '#a5ece2'],
    demand: ['#5c2c08', '#8a450d', '#c06a1c', '#ee9a44', '#ffd29a'],
    wait: ['#38245c', '#543887', '#7756b3', '#a285d8', '#d6c6f7'],
  },
};

// People with any kind of colour vision can distinguish these (after Okabe and Ito); lists use more than colour.
const stateColors: Readonly<Record<Scheme, Readonly<Record<DriverState, string>>>> = {
  light: { available: '#007a5a', offered: '#d98200', on_trip: '#0064a8', unreachable: '#7d8487' },
  dark: { available: '#2fd3a4', offered: '#ffc04d', on_trip: '#5cb8f5', unreachable: '#8a9599' },
};
const tripColors: Readonly<Record<Scheme, Readonly<Record<TripStatus, string>>>> = {
  light: {
    requested: '#c93c00', matched: '#a63d79', arrived: '#8a5fbf', in_progress: '#0064a8', completed: '#6c757a', cancelled: '#6c757a',
    expired: '#6c757a', status_unspecified: '#6c757a',
  },
  dark: {
    requested: '#ff7d45', matched: '#ef9cc8', arrived: '#c3a3f0', in_progress: '#5cb8f5', completed: '#8a9599', cancelled: '#8a9599',
    expired: '#8a9599', status_unspecified: '#8a9599',
  },
};

export const rampOf = (scheme: Scheme, measure: Measure): readonly string[] => ramps[scheme][measure];
export const stateColor = (scheme: Scheme, state: DriverState): string => stateColors[scheme][state];
export const tripColor = (scheme: Scheme, status: TripStatus): string => tripColors[scheme][status];

/** Which of the five colours a value gets; null: none. */
export function stepOf(measure: Measure, value: number): number | null {
  const above = steps[measure].findLastIndex((from) => value >= from);
  return above < 0 ? null : above;
}

/** Reads #rrggbb. */
export function rgb(color: string): Rgb {
  const value = Number.parseInt(color.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}
