import type { TFunction } from 'i18next';
import { beforeAll, expect, it } from 'vitest';

import { isCommonPassword, loadCommonPasswords } from './commonPasswords';
import { password, strength } from './rules';

const t = ((key: string) => key) as unknown as TFunction<'account'>;
const typed = (value: string, username = '') => password(t)(value, { username });

beforeAll(() => loadCommonPasswords());

it.each(['password123', 'PassWord123', 'ｐａｓｓｗｏｒｄ１', 'qwertyuiop', '1q2w3e4r5t', 'trustno1', 'HexHail1', 'password123 ', ' \u3000PASSWORD123\u200b', '        '])('%s is refused, as by the server', (value) => {
  expect(isCommonPassword(value)).toBe(true);
  expect(typed(value)).toBe('errors.passwordRefused');
  expect(strength(value)).toBe(0);
});

it('a password that is the username is refused, as by the server', () => {
  expect(typed('Alice-in-Berlin-7', 'alice-in-berlin-7 ')).toBe('errors.passwordRefused');
  expect(typed(' Alice-in-Berlin-7 ', 'alice-in-berlin-7')).toBe('errors.passwordRefused');
  expect(strength('Alice-in-Berlin-7', 'alice-in-berlin-7')).toBe(0);
});

it.each(['correct horse', 'password123 is what I say', '비밀번호비밀번호'])('%s is not', (value) => {
  expect(typed(value, 'alice')).toBeNull();
  expect(strength(value, 'alice')).toBeGreaterThan(0);
});
