import { describe, expect, it } from 'vitest';

import { areaIn } from './areaName';

describe('the name of an area', () => {
  it.each([
    ['a district, not the shop', { features: [{ properties: { name: 'Corner Deli', street: 'E 44th St', district: 'Midtown East', city: 'New York' } }] }, 'Midtown East'],
    ['the smallest of several', { features: [{ properties: { name: 'x', locality: '역삼동', district: '강남구', city: '서울' } }] }, '역삼동'],
    ["a demonstration's place", { features: [{ properties: { name: 'Grand Central' }, geometry: { coordinates: [1, 2] } }] }, 'Grand Central'],
    ['of Nominatim', { display_name: '12, E 44th St, Manhattan', address: { suburb: 'Manhattan', city: 'New York' } }, 'Manhattan'],
    ['of an old Nominatim', { display_name: 'Manhattan, New York' }, 'Manhattan'],
    ['nothing found', { features: [] }, ''],
    ['an error', { error: 'Unable to geocode' }, ''],
    ['no answer at all', null, ''],
    ['rubbish', { features: [{ properties: { district: 7 } }] }, ''],
  ])('is %s', (_, answer, name) => expect(areaIn(answer)).toBe(name));
});
