import i18next from 'i18next';
import resourcesToBackend from 'i18next-resources-to-backend';
import { initReactI18next } from 'react-i18next';

/** The languages of the app, each under its own name. */
export const languages = { en: 'English', ko: '한국어' } as const;
export type Language = keyof typeof languages;

/** One namespace for each folder of the app. */
export type Namespace = 'shell' | 'account' | 'rider' | 'driver' | 'trips' | 'ops' | 'map';

const storageKey = 'hexhail.language';
const texts = import.meta.glob<{ default: Record<string, unknown> }>('../locales/*/*.json');

function isLanguage(s: string | null | undefined): s is Language {
  return typeof s === 'string' && Object.hasOwn(languages, s);
}

/** The language that was chosen here before, or else the best of the browser's. */
export function preferredLanguage(): Language {
  const chosen = localStorage.getItem(storageKey);
  if (isLanguage(chosen)) return chosen;
  for (const tag of navigator.languages) {
    const base = tag.split('-')[0];
    if (isLanguage(base)) return base;
  }
  return 'en';
}

/** Starts the translations with the shell's texts; other namespaces load with their pages. */
export async function startI18n(): Promise<void> {
  await i18next
    .use(
      resourcesToBackend(async (language: string, namespace: string) => {
        const load = texts[`../locales/${language}/${namespace}.json`];
        if (!load) throw new Error(`no texts ${namespace} in ${language}`);
        return (await load()).default;
      }),
    )
    .use(initReactI18next)
    .init({
      lng: preferredLanguage(),
      fallbackLng: 'en',
      supportedLngs: Object.keys(languages),
      ns: ['shell'],
      defaultNS: 'shell',
      contextSeparator: '~', // keys such as not_found are one word
      interpolation: { escapeValue: false }, // React escapes
      showSupportNotice: false, // the console is for what goes wrong
    });
  applyLanguage(i18next.language);
  i18next.on('languageChanged', applyLanguage);
}

/** Begins to load texts that a page will soon need. One that fails is loaded again by whoever shows it. */
export function loadTexts(...namespaces: Namespace[]): void {
  void i18next.loadNamespaces(namespaces);
}

function applyLanguage(language: string): void {
  document.documentElement.lang = language;
}

/** Changes the language now and for later visits. */
export async function chooseLanguage(language: Language): Promise<void> {
  localStorage.setItem(storageKey, language);
  await i18next.changeLanguage(language);
}
