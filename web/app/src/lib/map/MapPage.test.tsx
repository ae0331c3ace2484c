import { MantineProvider } from '@mantine/core';
import { cleanup, fireEvent, render, screen } from '@testing-library/react';
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import en from '../../locales/en/map.json';
import { MapPage, type SheetStep } from './MapPage';

beforeAll(async () => {
  // A phone, whose elements have no size here: jsdom lays nothing out.
  vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => undefined, removeEventListener: () => undefined }));
  vi.stubGlobal('ResizeObserver', class { observe() { return; } unobserve() { return; } disconnect() { return; } });
  await i18next.use(initReactI18next).init({ lng: 'en', resources: { en: { map: en } }, interpolation: { escapeValue: false } });
});
afterEach(cleanup);

const page = (stepKey: string, step: SheetStep = 'fit') => (
  <MantineProvider env="test">
    <MapPage label="Your ride" map={() => null} step={step} stepKey={stepKey}><p>content</p></MapPage>
  </MantineProvider>
);
const sheet = () => screen.getByRole('region', { name: 'Your ride' });
const enlarge = () => fireEvent.keyDown(screen.getByRole('button'), { key: 'ArrowUp' });

describe('the sheet of a phone', () => {
  it('takes its own size again as soon as it shows something else', () => {
    const { rerender } = render(page('t1 searching'));
    enlarge();
    expect(sheet().style.maxHeight).toBe('94%');
    rerender(page('t1 searching'));
    expect(sheet().style.maxHeight).toBe('94%'); // as the person left it
    rerender(page('t1 coming'));
    expect(sheet().style.maxHeight).toBe('62%');
  });

  it('is no higher than what it shows, unless the page asks for the room', () => {
    const { rerender } = render(page('planning', 'full'));
    expect(sheet().style.height).toBe('94%');
    rerender(page('planning'));
    enlarge();
    expect(sheet().style.height).toBe('');
  });

  it('shows by a tap what lies below its edge, and by another one the map', () => {
    render(page('planning'));
    fireEvent.click(screen.getByRole('button', { name: en.sheet.larger }), { detail: 0 });
    expect(sheet().style.maxHeight).toBe('94%');
    fireEvent.click(screen.getByRole('button', { name: en.sheet.smaller }), { detail: 0 });
    expect(sheet().style.maxHeight).toBe('62%');
  });
});
