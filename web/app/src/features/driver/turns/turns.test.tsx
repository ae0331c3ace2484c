import { MantineProvider } from '@mantine/core';
import { act, cleanup, render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import en from '../../../locales/en/driver.json';
import ko from '../../../locales/ko/driver.json';
import { createPositionStore } from '../../../lib/map';
import { offsetBy } from '../../../lib/map/geo';
import { pointAt } from '../../../lib/map/way';
import { planOf } from '../../../lib/trip/route';
import { aStep, route, steps, streetWay } from './fixtures';
import { guide } from './guide';
import { Prompter, promptText, stagesAt, type Stage } from './prompts';
import Turns from './Turns';
import { spokenDistance, stepText, turnDistance } from './words';

const credit = { attribution: '© OpenStreetMap contributors', attribution_url: 'https://www.openstreetmap.org/copyright' };
vi.mock('../../../api/queries', () => ({ useServerConfig: () => ({ data: { map: { streets: credit } } }) }));

beforeAll(async () => {
  vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => undefined, removeEventListener: () => undefined }));
  vi.stubGlobal('ResizeObserver', class { observe() { return; } unobserve() { return; } disconnect() { return; } });
  await i18next.use(initReactI18next).init({ lng: 'en', resources: { en: { driver: en }, ko: { driver: ko } }, interpolation: { escapeValue: false }, contextSeparator: '~' });
});
beforeEach(async () => {
  localStorage.clear();
  await i18next.changeLanguage('en');
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => undefined, removeEventListener: () => undefined }));
  vi.stubGlobal('ResizeObserver', class { observe() { return; } unobserve() { return; } disconnect() { return; } });
});

const way = streetWay();
const at = (alongM: number, awayM = 3, accuracyM = 5) => guide(way, steps, { alongM, awayM, accuracyM });
const t = (language: string) => i18next.getFixedT(language, 'driver');

describe('the guide', () => {
  it.each([[0, 1, 400], [399, 1, 1], [405, 1, 0], [409, 2, 291], [695, 2, 5], [720, 3, 80], [800, 3, 0]])('knows at %d m that step %d is next, in %d m', (alongM, next, toM) => {
    expect(at(alongM).next).toBe(next);
    expect(at(alongM).toM).toBeCloseTo(toM, 0);
  });

  it('counts what is left, in metres and in the time of its steps', () => {
    expect(at(0)).toMatchObject({ leftM: expect.closeTo(800, 0) as number, leftS: expect.closeTo(80, 0) as number });
    expect(at(550)).toMatchObject({ leftM: expect.closeTo(250, 0) as number, leftS: expect.closeTo(25, 0) as number });
    expect(at(900)).toMatchObject({ leftM: 0, leftS: 0 });
  });

  it('has a U-turn at the beginning made first', () => {
    const round = [aStep('round', 'First Street', 400, 0), ...steps.slice(1)];
    expect(guide(way, round, { alongM: 0, awayM: 0, accuracyM: 5 })).toMatchObject({ next: 0, toM: 0 });
    expect(guide(way, round, { alongM: 30, awayM: 0, accuracyM: 5 }).next).toBe(1);
  });

  it('says that a car is elsewhere, and not for a vague position', () => {
    expect(at(100, 90).astray).toBe(true);
    expect(at(100, 90, 60).astray).toBe(false);
  });
});

describe('the words of a turn', () => {
  it('name the street where it has a name', () => {
    expect(stepText(t('en'), aStep('left', 'West 42nd Street', 100, 1), 'pickup')).toBe('Turn left onto West 42nd Street');
    expect(stepText(t('en'), aStep('left', '', 100, 1), 'pickup')).toBe('Turn left');
    expect(stepText(t('en'), aStep('roundabout', 'Columbus Circle', 100, 1, { exit: 2 }), 'pickup')).toBe('At the roundabout, take exit 2 onto Columbus Circle');
    expect(stepText(t('en'), aStep('roundabout', '', 100, 1), 'pickup')).toBe('Enter the roundabout');
    expect(stepText(t('en'), aStep('arrive', 'X', 0, 1), 'dropoff')).toBe('Arrive at the drop-off');
    expect(stepText(t('ko'), aStep('left', '테헤란로', 100, 1), 'pickup')).toBe('테헤란로 방면으로 좌회전하세요');
    expect(stepText(t('ko'), aStep('round', '', 100, 1), 'pickup')).toBe('유턴하세요');
    expect(stepText(t('ko'), aStep('roundabout', '', 100, 1, { exit: 3 }), 'pickup')).toBe('회전교차로에서 3번째 출구로 나가세요');
    expect(stepText(t('ko'), aStep('arrive', '', 0, 1), 'pickup')).toBe('출발지에 도착합니다');
  });

  it('are a way to go on for a turn of a newer server', () => {
    expect(stepText(t('en'), aStep('fly' as 'left', 'Fifth Avenue', 100, 1), 'pickup')).toBe('Continue onto Fifth Avenue');
  });

  it.each([[2, '10 m'], [44, '40 m'], [296, '300 m'], [326, '350 m'], [949, '950 m'], [980, '1 km'], [1249, '1.2 km'], [14_400, '14 km']])('round %d m to %s', (metres, text) => {
    expect(turnDistance(metres)).toBe(text);
  });

  it('speak whole words', async () => {
    expect(spokenDistance(296)).toBe('300 meters');
    expect(spokenDistance(1249)).toBe('1.2 kilometers');
    await i18next.changeLanguage('ko');
    expect(spokenDistance(296)).toBe('300미터');
  });
});

/** What is said on a drive of so many metres at a speed, once a second. */
function drive(fromM: number, toM: number, speedMps: number, prompter = new Prompter()): [number, Stage, number][] {
  const heard: [number, Stage, number][] = [];
  for (let m = fromM; m <= toM; m += speedMps) {
    const g = at(m);
    const prompt = prompter.next(g, speedMps);
    if (prompt) heard.push([prompt.step, prompt.stage, Math.round(g.toM)]);
  }
  return heard;
}

describe('what is spoken', () => {
  it('is said once a stage, in good time and when it is to be done', () => {
    const heard = drive(0, 800, 9);
    expect(heard.map(([step, stage]) => `${step} ${stage}`)).toEqual(['1 early', '1 soon', '1 now', '2 early', '2 soon', '2 now', '3 soon', '3 now']);
    const now = heard.filter(([, stage]) => stage === 'now');
    for (const [, , toM] of now) expect(toM).toBeLessThanOrEqual(stagesAt(9).now);
  });

  it('comes earlier for who drives fast', () => {
    expect(stagesAt(25).soon).toBeGreaterThan(stagesAt(9).soon);
    expect(stagesAt(25).now).toBeGreaterThan(stagesAt(9).now);
    expect(stagesAt(0)).toEqual(stagesAt(8));
  });

  it('leaves out what was missed, and says nothing twice to who waits', () => {
    const prompter = new Prompter();
    expect(prompter.next({ next: 1, toM: 30, astray: false }, 9)).toEqual({ step: 1, stage: 'now' });
    for (let i = 0; i < 20; i++) expect(prompter.next({ next: 1, toM: 30 + 10 * i, astray: false }, 0)).toBeNull();
  });

  it('says of a long road that it is long, and nothing more until its end is near', () => {
    const prompter = new Prompter();
    expect(prompter.next({ next: 1, toM: 20, astray: false }, 9)?.stage).toBe('now');
    expect(prompter.next({ next: 2, toM: 3000, astray: false }, 9)?.stage).toBe('stay');
    expect(prompter.next({ next: 2, toM: 2000, astray: false }, 9)).toBeNull();
    expect(prompter.next({ next: 2, toM: 690, astray: false }, 9)?.stage).toBe('early');
  });

  it('says nothing to who has left the way', () => {
    expect(new Prompter().next({ next: 1, toM: 20, astray: true }, 9)).toBeNull();
  });

  it('sounds as navigation sounds, in both languages', async () => {
    const [soon, now] = [{ step: 2, stage: 'soon' as const }, { step: 2, stage: 'now' as const }];
    expect(promptText(t('en'), soon, steps, 296, 'pickup')).toBe('In 300 meters: Turn left onto Third Street. Then you’ll reach the pickup.');
    expect(promptText(t('en'), now, steps, 20, 'dropoff')).toBe('Turn left onto Third Street. Then you’ll reach the drop-off.');
    expect(promptText(t('en'), { step: 1, stage: 'soon' }, steps, 250, 'pickup')).toBe('In 250 meters: Turn right onto Second Street.');
    expect(promptText(t('en'), { step: 1, stage: 'stay' }, steps, 2000, 'pickup')).toBe('Continue on First Street for 2 kilometers.');
    await i18next.changeLanguage('ko');
    const unnamed = steps.map((s) => ({ ...s, street: '' }));
    expect(promptText(t('ko'), { step: 1, stage: 'soon' }, unnamed, 296, 'pickup')).toBe('300미터 앞에서 우회전하세요.');
    expect(promptText(t('ko'), now, steps, 20, 'pickup')).toBe('잠시 후 Third Street 방면으로 좌회전하세요. 이어서 출발지에 도착합니다.');
    expect(promptText(t('ko'), { step: 3, stage: 'now' }, steps, 20, 'dropoff')).toBe('잠시 후 도착지에 도착합니다.');
  });
});

/** A browser with a voice, and what it was asked to say. */
function voices(...langs: string[]) {
  const spoken: string[] = [];
  vi.stubGlobal('SpeechSynthesisUtterance', class { constructor(readonly text: string) {} });
  vi.stubGlobal('speechSynthesis', {
    getVoices: () => langs.map((lang) => ({ lang, localService: true })), addEventListener: () => undefined, removeEventListener: () => undefined,
    cancel: () => undefined, speak: (u: { text: string }) => void spoken.push(u.text),
  });
  return spoken;
}

function show(change: Parameters<typeof route>[0] = {}, mapped = true) {
  const positions = createPositionStore(pointAt(way, 0));
  const page = (planned = planOf(route(change))) => <MantineProvider env="test"><Turns planned={planned} positions={positions} mapped={mapped} /></MantineProvider>;
  const { rerender } = render(page());
  return {
    goTo: (alongM: number, awayM = 0) => { act(() => positions.set(offsetBy(pointAt(way, alongM), awayM, 270))); },
    replan: (revision: number) => { rerender(page(planOf(route({ ...change, revision })))); },
  };
}

const banner = () => screen.getByRole('region', { name: 'Directions' });

describe('the banner of the next turn', () => {
  it('counts down to the turn, names the one after it, and goes on to it', () => {
    const { goTo } = show();
    expect(screen.getByTestId('turn-distance')).toHaveTextContent('400 m');
    expect(banner()).toHaveTextContent('Turn right onto Second Street');
    expect(within(banner()).getByText('Third Street')).toBeInTheDocument();
    goTo(130);
    expect(screen.getByTestId('turn-distance')).toHaveTextContent('270 m');
    goTo(450);
    expect(screen.getByTestId('turn-distance')).toHaveTextContent('250 m');
    expect(banner()).toHaveTextContent('Turn left onto Third Street');
    goTo(760);
    expect(banner()).toHaveTextContent('Arrive at the pickup');
  });

  it('announces turns when a voice would, not every metre', () => {
    const { goTo } = show();
    const said = () => within(banner()).getByRole('status').textContent;
    expect(said()).toBe('In 400 meters: Turn right onto Second Street.');
    goTo(100);
    expect(said()).toBe('In 400 meters: Turn right onto Second Street.');
    goTo(200);
    expect(said()).toBe('In 200 meters: Turn right onto Second Street.');
  });

  it('says that another route is looked for, and that it is there', () => {
    const { goTo, replan } = show();
    goTo(200, 150);
    expect(banner()).toHaveTextContent('Finding a new route…');
    expect(screen.queryByText('New route')).not.toBeInTheDocument();
    goTo(200);
    replan(2);
    expect(screen.getByText('New route')).toBeInTheDocument();
    expect(within(banner()).getByRole('status')).toHaveTextContent('New route. In 200 meters: Turn right onto Second Street.');
  });

  it('lists all turns with the credit for the streets, the next one marked', async () => {
    const { goTo } = show();
    goTo(450);
    await userEvent.click(within(banner()).getByRole('button', { name: /Show all turns/ }));
    const list = within(await screen.findByRole('dialog', { name: 'All turns' }));
    const rows = list.getAllByRole('listitem');
    expect(rows.map((row) => row.textContent)).toEqual([
      'Start on First Street', 'Turn right onto Second Street', 'Turn left onto Third Street250 m', 'Arrive at the pickup100 m',
    ]);
    expect(rows.map((row) => row.getAttribute('aria-current'))).toEqual([null, null, 'step', null]);
    expect(list.getByRole('link', { name: '© OpenStreetMap contributors' })).toHaveAttribute('href', 'https://www.openstreetmap.org/copyright');
  });

  it('speaks only if that is wanted, and remembers it', async () => {
    const spoken = voices('en-GB', 'fr-FR');
    const { goTo } = show();
    goTo(200);
    expect(spoken).toEqual([]);
    await userEvent.click(screen.getByRole('button', { name: 'Turn on spoken directions' }));
    expect(spoken).toEqual(['Spoken directions are on.']);
    goTo(380);
    expect(spoken.at(-1)).toBe('Turn right onto Second Street.');
    cleanup();
    show().goTo(390);
    expect(screen.getByRole('button', { name: 'Turn off spoken directions' })).toHaveAttribute('aria-pressed', 'true');
  });

  it('has no switch where the device has no voice for the language', () => {
    voices('ko-KR');
    show();
    expect(screen.queryByRole('button', { name: /spoken/ })).not.toBeInTheDocument();
  });

  it('says where there are no turns, if there could be any', () => {
    show({ by: 'crow', steps: [] });
    expect(screen.getByText('No street directions here')).toBeInTheDocument();
    cleanup();
    show({ by: 'crow', steps: [] }, false);
    expect(screen.queryByRole('region')).not.toBeInTheDocument();
    cleanup();
    show({ polyline: '{{{' });
    expect(screen.queryByText('Turn right onto Second Street')).not.toBeInTheDocument();
  });
});
