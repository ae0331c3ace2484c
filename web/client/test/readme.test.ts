import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { requests } from '../src/requests.js';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const readme = read('README.md');

test('the bot of the README is the one that runs, and has 20 lines', () => {
  const shown = /```js\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  expect(shown).toBe(read('examples/driver-bot.mjs'));
  expect(shown.split('\n').filter((line) => line.trim() && !line.startsWith('//')).length).toBeLessThanOrEqual(20);
});

test('the README tells how long each message waits', () => {
  const rows = [...readme.matchAll(/^\| ((?:`\w+`(?:, | \/ )?)+) \| ([^|]+) \|$/gm)];
  const units = { second: 1_000, minute: 60_000 };
  const told = new Map(
    rows.flatMap(([, names = '', times = '']) => {
      const ms = times.split('/').map((time) => {
        const [, count, unit] = /(\d+) (second|minute)/.exec(time) ?? [];
        return unit ? Number(count) * units[unit as keyof typeof units] : Infinity;
      });
      return [...names.matchAll(/`(\w+)`/g)].map(([, name], i) => [name, ms[i] ?? ms[0]] as const);
    }),
  );
  for (const [kind, { giveUpAfterMs }] of Object.entries(requests)) expect([kind, told.get(kind)]).toEqual([kind, giveUpAfterMs]);
});

test('the package packs what it exports', () => {
  const pkg = JSON.parse(read('package.json')) as { exports: { '.': Record<string, string> }; files: string[]; license: string };
  for (const path of Object.values(pkg.exports['.'])) expect(pkg.files).toContain(path.split('/')[1]);
  expect(read('LICENSE')).toBe(readFileSync(new URL('../../../LICENSE', import.meta.url), 'utf8'));
  expect(pkg.license).toBe('Apache-2.0');
});
