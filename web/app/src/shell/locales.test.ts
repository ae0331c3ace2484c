import { describe, expect, it } from 'vitest';

const texts = import.meta.glob<Record<string, unknown>>('../locales/*/*.json', { eager: true, import: 'default' });

function keys(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([k, v]) => keys(v, path ? `${path}.${k}` : k));
}

/** Korean has one plural form where English has two. */
const withoutPlural = (key: string): string => key.replace(/_(one|other)$/, '');

const of = (language: string) => Object.keys(texts).filter((f) => f.includes(`/${language}/`));

describe('the texts', () => {
  it('are there in both languages, namespace by namespace', () => {
    expect(of('en').length).toBeGreaterThan(5);
    expect(of('ko').map((f) => f.replace('/ko/', '/en/'))).toEqual(of('en'));
  });

  it.each(of('en'))('%s has the same keys in Korean', (file) => {
    const names = (f: string) => [...new Set(keys(texts[f]).map(withoutPlural))].sort();
    expect(names(file.replace('/en/', '/ko/'))).toEqual(names(file));
  });

  it.each(Object.keys(texts))('%s leaves no text empty', (file) => {
    for (const value of Object.values(flat(texts[file]))) expect(value.trim()).not.toBe('');
  });
});

function flat(value: unknown, path = ''): Record<string, string> {
  if (typeof value === 'string') return { [path]: value };
  return Object.assign({}, ...Object.entries(value as object).map(([k, v]) => flat(v, `${path}.${k}`))) as Record<string, string>;
}
