import i18next from 'i18next';
import { beforeAll, describe, expect, it } from 'vitest';

import en from '../locales/en/shell.json';
import ko from '../locales/ko/shell.json';
import { colourName, colourOf, colours, vehicleClassName, vehicleText } from './vehicle';

const car = { make: 'Hyundai', model: 'Ioniq 5', colour: 'white' };

beforeAll(async () => {
  await i18next.init({ lng: 'en', resources: { en: { shell: en }, ko: { shell: ko } }, ns: ['shell'], interpolation: { escapeValue: false } });
});

describe('a vehicle class', () => {
  it('has a name in the chosen language, and an operator’s own reads as words', async () => {
    await i18next.changeLanguage('ko');
    expect(vehicleClassName('van')).toBe('밴');
    await i18next.changeLanguage('en');
    expect(vehicleClassName('van')).toBe('Van');
    expect(vehicleClassName('three_wheeler')).toBe('Three wheeler');
  });
});

describe('what a car looks like', () => {
  it('is said in the chosen language, with what is known', async () => {
    await i18next.changeLanguage('en');
    expect(vehicleText(car)).toBe('White Hyundai Ioniq 5');
    expect(vehicleText({ make: '', model: 'Ioniq 5', colour: '' })).toBe('Ioniq 5');
    expect(vehicleText({ colour: 'white' })).toBe('White');
    expect(vehicleText({})).toBe('');
    await i18next.changeLanguage('ko');
    expect(vehicleText(car)).toBe('흰색 Hyundai Ioniq 5');
  });

  it('keeps a colour by one name, however it was typed, and any other as it is', async () => {
    for (const lng of ['en', 'ko']) {
      await i18next.changeLanguage(lng);
      for (const c of colours) expect(colourOf(` ${colourName(c)} `)).toBe(c);
    }
    expect(colourOf('WHITE')).toBe('white');
    expect(colourOf(' Racing teal ')).toBe('Racing teal');
    expect(colourName('Racing teal')).toBe('Racing teal');
  });
});
