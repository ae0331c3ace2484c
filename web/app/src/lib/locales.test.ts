import { describe, expect, it } from 'vitest';

const texts = import.meta.glob<Record<string, unknown>>('../locales/*/*.json', { eager: true, import: 'default' });

function keys(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([k, v]) => keys(v, path ? `${path}.${k}` : k));
}

/** Korean has one plural form where English has two. */
const withoutPlural = (key: string): string => key.replace(/_(one|other)$/, '');

const raw = import.meta.glob<string>('../locales/*/*.json', { eager: true, import: 'default', query: '?raw' });

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

  it.each(Object.keys(texts))('%s has curly apostrophes and quotation marks', (file) => {
    expect(Object.entries(flat(texts[file])).filter(([, text]) => /['"]/.test(text))).toEqual([]);
  });
});

describe('the words of riders and drivers', () => {
  const files = Object.keys(texts).filter((f) => !f.endsWith('/ops.json'));

  it.each(Object.keys(raw))('%s has each key once: of two the later one counts, and the other goes unseen', (file) => {
    const written = raw[file]?.match(/^ *"[^"]+": /gm)?.length;
    expect(written).toBe(JSON.stringify(texts[file], null, 2).match(/^ *"[^"]+": /gm)?.length);
  });

  it.each(files.filter((f) => f.includes('/en/')))('%s has one term for each thing', (file) => {
    const odd = Object.entries(flat(texts[file])).filter(([, text]) =>
      /\b(destination|dropoff|told|nobody|anew|whoever|asked? for (a|your) ride|gave the trip back|give the trip back|rings? of cells|log-in has|do not ask)\b/i.test(text));
    expect(odd).toEqual([]);
  });

  it.each(files.filter((f) => f.includes('/ko/')))('%s has one term for each thing', (file) => {
    const odd = Object.entries(flat(texts[file])).filter(([, text]) => /겹|승차 위치|하차 위치|목적지|반납|찾기 취소|차량 등급|호출하지 않기/.test(text));
    expect(odd).toEqual([]);
  });
});

function flat(value: unknown, path = ''): Record<string, string> {
  if (typeof value === 'string') return { [path]: value };
  return Object.assign({}, ...Object.entries(value as object).map(([k, v]) => flat(v, `${path}.${k}`))) as Record<string, string>;
}
