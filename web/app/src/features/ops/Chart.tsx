import 'uplot/dist/uPlot.min.css';

import { useComputedColorScheme } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import uPlot from 'uplot';

import { number } from '../../lib/format';
import { ChartLegend } from './ChartLegend';
import { dashes, hourOfDay, strokes } from './charts';

// uPlot draws on a canvas, in 23 kB (gzipped) where recharts takes over 100, and follows a day of points without effort.

const heightPx = 176;
/** The axis covers this many seconds at least. */
const shortestS = 600;

interface Props {
  readonly label: string;
  readonly names: readonly string[];
  readonly columns: [number[], ...(number | null)[][]];
  /** The hours that the axis covers at most; of a day: the first column is the hour of the day instead of a time. */
  readonly hours: number | 'ofDay';
}

/** Lines over time. For those who cannot see it there is a table with the same numbers. */
export function Chart({ label, names, columns, hours }: Props) {
  const { i18n } = useTranslation('ops');
  const scheme = useComputedColorScheme('light');
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const newest = useRef(columns);
  /** The point under the cursor; null while there is none. */
  const [at, setAt] = useState<number | null>(null);
  useEffect(() => {
    newest.current = columns;
    plot.current?.setData(columns);
  }, [columns]);

  const named = names.join('|');
  useEffect(() => {
    const on = box.current;
    if (!on) return;
    const made = new uPlot(optionsOf(named.split('|').length, scheme, hours, Math.max(200, on.clientWidth), setAt), newest.current, on);
    plot.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: Math.max(200, on.clientWidth), height: heightPx }));
    resized.observe(on);
    return () => {
      resized.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [named, scheme, hours, i18n.language]);
  return (
    <>
      <div ref={box} role="img" aria-label={label} />
      <ChartLegend names={names} columns={columns} at={at} scheme={scheme} hours={hours} />
    </>
  );
}

/** The axis across: times, or the hours of a day. */
function across(hours: Props['hours']): { scale: uPlot.Scale; values: (_: uPlot, splits: number[]) => string[]; incrs?: number[] } {
  if (hours === 'ofDay') return { scale: { time: false, range: [0, 23] }, values: (_, splits) => splits.map(hourOfDay), incrs: [1, 3, 6] };
  const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  return {
    // No longer than there are points, but for a server that has just started.
    scale: { time: true, range: (_, from, to) => [Math.max(to - hours * 3600, Math.min(from, to - shortestS)), to] },
    values: (_, splits) => splits.map((s) => clock.format(s * 1000)),
  };
}

function optionsOf(lines: number, scheme: 'light' | 'dark', hours: Props['hours'], width: number, onPoint: (at: number | null) => void): uPlot.Options {
  const ink = scheme === 'light' ? '#57636a' : '#9aa7ab';
  const grid = { stroke: scheme === 'light' ? '#e6eaeb' : '#2a363b', width: 1 };
  const axis: uPlot.Axis = { stroke: ink, grid, ticks: { show: false }, font: '11px system-ui, sans-serif' };
  const { scale, values, incrs } = across(hours);
  return {
    width, height: heightPx,
    cursor: { drag: { x: false, y: false }, points: { size: 6 } },
    // Its own one is empty until the cursor is over the lines.
    legend: { show: false },
    hooks: { setCursor: [(u) => onPoint(u.cursor.idx ?? null)] },
    scales: {
      x: scale,
      y: { range: (_, __, max) => [0, Math.max(1, max * 1.1)] },
    },
    axes: [
      { ...axis, values, space: 60, size: 30, ...(incrs ? { incrs } : {}) },
      { ...axis, values: (_, splits) => splits.map((s) => number(s, 1)), size: 48 },
    ],
    series: [
      {},
      ...Array.from({ length: lines }, (_, i): uPlot.Series => ({
        stroke: strokes[scheme][i] ?? ink, width: 1.6, spanGaps: false, points: { show: hours === 'ofDay', size: 5 }, ...(dashes[i] ? { dash: dashes[i] } : {}),
      })),
    ],
  };
}
