import { readdirSync, readFileSync } from 'node:fs';
import i18next, { type TFunction } from 'i18next';

export type Language = 'en' | 'ko';

const locales = new URL('../../app/src/locales/', import.meta.url);

/** The app's own texts, so that tests name things as people see them, in either language. */
export async function wordsOf(language: Language): Promise<TFunction> {
  const folder = new URL(`${language}/`, locales);
  const texts = Object.fromEntries(readdirSync(folder).map((file) => [
    file.replace('.json', ''), JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as object,
  ]));
  const own = i18next.createInstance();
  await own.init({
    lng: language, resources: { [language]: texts }, ns: Object.keys(texts), defaultNS: 'shell', contextSeparator: '~',
    interpolation: { escapeValue: false }, showSupportNotice: false,
  });
  return own.t;
}

/** A text with a value in it, as a pattern that matches whatever the value is. */
export function anyOf(t: TFunction, key: string, ...values: string[]): RegExp {
  const hole = '\u0000'; // no text has it
  const text = t(key, { ...Object.fromEntries(values.map((v) => [v, hole])), count: 2 });
  const escaped = text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(escaped.replaceAll(hole, '.*').replaceAll('2', '\\d+'));
}
