import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

// TypeScript takes any name for a class of a CSS module, so this test compares the names that are used with those that exist.
// Vitest runs in the folder of the app.

const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).map((file) => join('src', file));
const sheets = files.filter((file) => file.endsWith('.module.css'));

/** The classes that each sheet's importers use. */
const used = new Map<string, Set<string>>(sheets.map((sheet) => [sheet, new Set()]));
const odd: string[] = [];
for (const file of files.filter((f) => f.endsWith('.tsx'))) {
  const source = readFileSync(file, 'utf8');
  for (const [, name, specifier = ''] of source.matchAll(/^import (\w+) from '(\.[^']+\.module\.css)'/gm)) {
    if (name !== 'classes') odd.push(`${file} imports ${specifier} under another name`);
    for (const [, member = ''] of source.matchAll(/\bclasses\.(\w+)/g)) used.get(join(dirname(file), specifier))?.add(member);
  }
  if (/\bclasses\[/.test(source)) odd.push(`${file} computes the name of a class`);
}

/** The classes that a sheet's selectors name. */
function declared(css: string): string[] {
  const selectors = css.replaceAll(/\/\*.*?\*\//gs, '').replaceAll(/:global\([^)]*\)/g, '').match(/[^{};]+(?=\{)/g) ?? [];
  return [...new Set(selectors.filter((s) => !s.trim().startsWith('@')).flatMap((s) => [...s.matchAll(/\.([a-zA-Z][\w-]*)/g)].map(([, name = '']) => name)))];
}

describe('the CSS modules', () => {
  it('are imported under one name, and used by plain names', () => {
    expect(sheets.length).toBeGreaterThan(10);
    expect(odd).toEqual([]);
  });

  it.each(sheets)('%s has the classes that are used, and no others', (sheet) => {
    expect([...(used.get(sheet) ?? [])].sort()).toEqual(declared(readFileSync(sheet, 'utf8')).sort());
  });
});
