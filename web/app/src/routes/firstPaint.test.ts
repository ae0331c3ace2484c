import { readFileSync } from 'node:fs';
import { runInThisContext } from 'node:vm';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { preferredLanguage } from '../lib/i18n';
import { startStyles } from './styles';

// Vitest runs in the folder of the app.
const early = readFileSync('public/early.js', 'utf8');
const page = readFileSync('index.html', 'utf8');

function open(path: string, languages: readonly string[], dark = false): HTMLElement {
  history.replaceState(null, '', path);
  vi.stubGlobal('matchMedia', () => ({ matches: dark }));
  vi.spyOn(navigator, 'languages', 'get').mockReturnValue(languages);
  const root = document.documentElement;
  for (const { name } of [...root.attributes]) root.removeAttribute(name);
  root.lang = 'en';
  // As the browser runs it: a script of the page's, before anything else.
  runInThisContext(early);
  return root;
}

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  localStorage.clear();
});

describe('the first paint', () => {
  it.each([
    ['/ride', '', 'map'], ['/drive/', '', 'map'], ['/trips', '', 'page'], ['/ops/map', '', 'page'], ['/', '', 'page'],
    ['/', '{"account":{"role":"driver"}}', 'map'], ['/', '{"account":{"role":"operator"}}', 'page'],
  ])('of %s with the session %s outlines a %s', (path, session, kind) => {
    if (session) localStorage.setItem('hexhail.session', session);
    expect(open(path, ['en']).dataset.early).toBe(kind);
  });

  it.each([
    [null, ['ko-KR', 'en']], [null, ['fr-FR', 'en-GB', 'ko']], [null, ['fr']], ['en', ['ko-KR']], ['ko', ['en-US']], ['tlh', ['ko']],
  ])('speaks what the app will speak: chosen %s, the browser prefers %s', (chosen, languages) => {
    if (chosen) localStorage.setItem('hexhail.language', chosen);
    expect(open('/', languages).lang).toBe(preferredLanguage());
  });

  it.each([[null, true, 'dark'], [null, false, 'light'], ['auto', true, 'dark'], ['light', true, 'light'], ['dark', false, 'dark']])(
    'has the chosen colours: %s, the system is dark: %s', (chosen, dark, scheme) => {
      if (chosen) localStorage.setItem('mantine-color-scheme-value', chosen);
      expect(open('/', ['en'], dark).dataset.mantineColorScheme).toBe(scheme);
    });

  it('says so when the app itself does not load, and not for the sake of a picture', () => {
    const root = open('/ride', ['en']);
    const failing = (tag: string) => {
      const element = document.body.appendChild(document.createElement(tag));
      element.dispatchEvent(new Event('error'));
      element.remove();
    };
    failing('img');
    expect(root.hasAttribute('data-early-failed')).toBe(false);
    failing('script');
    expect(root.hasAttribute('data-early-failed')).toBe(true);
  });

  it('says what it waits for in both languages', () => {
    const words = new DOMParser().parseFromString(page, 'text/html').getElementById('early')?.textContent ?? '';
    for (const text of ['Loading the map', '지도를 불러오는 중', 'Try again', '다시 시도']) expect(words).toContain(text);
  });
});

describe('the stylesheets', () => {
  it('are switched on when they are there, or will not come', async () => {
    const head = document.createElement('div');
    head.innerHTML = '<link rel="stylesheet" media="not all" href="/a.css"><link rel="stylesheet" media="not all" href="/b.css">';
    const [a, b] = head.querySelectorAll('link');
    let ready = false;
    const started = startStyles({ head } as unknown as Document).then(() => { ready = true; });
    a?.dispatchEvent(new Event('load'));
    await Promise.resolve();
    expect(ready).toBe(false);
    b?.dispatchEvent(new Event('error'));
    await started;
    expect([a?.media, b?.media]).toEqual(['all', 'all']);
  });
});
