import { Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';

import classes from './Hero.module.css';

const rings = 4;
const size = 30;

interface Cell {
  q: number;
  r: number;
  ring: number;
}

const distanceFromMiddle = (q: number, r: number) => (Math.abs(q) + Math.abs(r) + Math.abs(q + r)) / 2;

const cells: Cell[] = [];
for (let q = -rings; q <= rings; q++) {
  for (let r = -rings; r <= rings; r++) {
    const ring = distanceFromMiddle(q, r);
    if (ring <= rings) cells.push({ q, r, ring });
  }
}

/** Where drivers wait in the picture; the first one takes the ride. */
const drivers: readonly (readonly [q: number, r: number])[] = [[2, -1], [-3, 1], [0, 3], [3, -4], [-1, -2], [-2, 4]];

const middle = ({ q, r }: { q: number; r: number }) => ({ x: size * 1.5 * q, y: size * Math.sqrt(3) * (r + q / 2) });

/** A flat-topped hexagon, a little smaller than its cell. */
function corners(cell: Cell): string {
  const { x, y } = middle(cell);
  return [0, 1, 2, 3, 4, 5]
    .map((i) => `${(x + (size - 2) * Math.cos((i * Math.PI) / 3)).toFixed(1)},${(y + (size - 2) * Math.sin((i * Math.PI) / 3)).toFixed(1)}`)
    .join(' ');
}

/** A picture of a search: rings of cells around a rider widen until a driver takes the ride. */
export function Hero() {
  const { t } = useTranslation('account');
  const winner = middle({ q: drivers[0]?.[0] ?? 0, r: drivers[0]?.[1] ?? 0 });
  return (
    <figure className={classes.figure}>
      <svg viewBox="-220 -245 440 490" role="img" aria-label={t('landing.picture')}>
        {cells.map((c) => (
          <polygon key={`${c.q},${c.r}`} points={corners(c)} className={classes.cell} data-ring={c.ring} />
        ))}
        <line x1={0} y1={0} x2={winner.x} y2={winner.y} className={classes.way} />
        {drivers.map(([q, r], i) => {
          const { x, y } = middle({ q, r });
          return (
            <g key={`${q},${r}`} className={classes.driver} data-wins={i === 0 || undefined}>
              <circle cx={x} cy={y} r={11} />
              <path transform={`translate(${x} ${y})`} d="M-6 2.5v-2l2-4.5h8l2 4.5v2zM-4 3v1.5M4 3v1.5" />
            </g>
          );
        })}
        <g className={classes.rider}>
          <circle r={13} />
          <path d="M0-6.5a3 3 0 1 1 0 6 3 3 0 0 1 0-6M-5.5 6.5c0-7 11-7 11 0" />
        </g>
      </svg>
      <Text component="figcaption" size="xs" c="dimmed" ta="center">{t('landing.caption')}</Text>
    </figure>
  );
}
