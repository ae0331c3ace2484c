import type { TFunction } from 'i18next';
import { expect, it } from 'vitest';

import { logInName, username } from './rules';
import { tidyUsername } from './username';

const t = ((key: string) => key) as unknown as TFunction<'account'>;
const around = [
  ' ', '\t', '\n', '\u0085', '\u00a0', '\u00ad', '\u1680', '\u2003', '\u2009', '\u200b', '\u200c', '\u200d', '\u200e', '\u2028', '\u202f',
  '\u2060', '\u2800', '\u3000', '\u3164', '\ufe0f', '\ufeff', '\uffa0', ' \u200b\u00a0 ',
];

it.each(around.map((s) => [JSON.stringify(s), s]))('%s around a username is no part of it', (_, s) => {
  for (const typed of [s + 'alice', 'alice' + s, s + 'alice' + s]) {
    expect(tidyUsername(typed)).toBe('alice');
    expect(username(t)(typed)).toBeNull();
    expect(logInName(t)(typed)).toBeNull();
  }
});

it.each(around.map((s) => [JSON.stringify(s), s]))('%s inside a username is named', (_, s) => {
  expect(username(t)(`al${s}ice`)).toBe('errors.usernameLetters');
  expect(logInName(t)(`al${s}ice`)).toBe('errors.usernameLetters');
});

it('a username of spaces alone is none', () => {
  expect(logInName(t)(' \u200b')).toBe('errors.required');
  expect(username(t)(' \u200b')).toBe('errors.usernameLength');
});
