import { MantineProvider } from '@mantine/core';
import { cleanup, render, screen } from '@testing-library/react';
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { afterEach, beforeAll, expect, it, vi } from 'vitest';

import en from '../../locales/en/shell.json';
import ko from '../../locales/ko/shell.json';
import { MapPageSkeleton, MapSkeleton } from './MapSkeleton';

beforeAll(async () => {
  vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => undefined, removeEventListener: () => undefined }));
  await i18next.use(initReactI18next).init({ lng: 'en', defaultNS: 'shell', resources: { en: { shell: en }, ko: { shell: ko } } });
});
afterEach(cleanup);

it.each([['en', 'Loading the map'], ['ko', '지도를 불러오는 중']])('a map on its way says so for everybody to read, in %s', async (language, words) => {
  await i18next.changeLanguage(language);
  for (const skeleton of [<MapSkeleton key="map" padding={{ bottom: 300 }} />, <MapPageSkeleton key="page" />]) {
    render(<MantineProvider env="test">{skeleton}</MantineProvider>);
    // Text in the page, not a label that only screen readers get.
    expect(screen.getByRole('status').textContent).toBe(words);
    expect(screen.getByText(words).closest('[class*=isuallyHidden]')).toBeNull();
    cleanup();
  }
});
