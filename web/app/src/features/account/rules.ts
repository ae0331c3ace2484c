import type { TFunction } from 'i18next';

import { ApiError } from '../../api/problem';
import { isCommonPassword } from './commonPasswords';
import { tidyEnds, tidyUsername } from './username';

// The server's rules, applied before the request. The server checks again, and its word counts.

type T = TFunction<'account'>;
type Rule = (t: T) => (value: string) => string | null;

const bytes = (s: string): number => new TextEncoder().encode(s).length;

const letters = /^[a-zA-Z0-9._-]+$/;

// Keyboards add a space behind a word that they complete; it is no part of the name.
export const username: Rule = (t) => (typed) => {
  const value = tidyUsername(typed);
  if (value.length < 3 || value.length > 32) return t('errors.usernameLength');
  return letters.test(value) ? null : t('errors.usernameLetters');
};

/** A username at a log-in: what cannot be one is named here, for the server does not say which of the two is wrong. */
export const logInName: Rule = (t) => (typed) => {
  const value = tidyUsername(typed);
  if (value === '') return t('errors.required');
  return letters.test(value) ? null : t('errors.usernameLetters');
};

const isUsername = (value: string, username = ''): boolean =>
  tidyUsername(username) !== '' && tidyEnds(value).toLowerCase() === tidyUsername(username).toLowerCase();

export const password = (t: T) => (value: string, form: { readonly username?: string } = {}): string | null => {
  const length = bytes(value.normalize('NFC'));
  if (length < 8) return t('errors.passwordShort');
  if (length > 128) return t('errors.passwordLong');
  return isCommonPassword(value) || isUsername(value, form.username) ? t('errors.passwordRefused') : null;
};

export const name: Rule = (t) => (typed) => {
  const value = tidyEnds(typed);
  if (value === '') return t('errors.required');
  return bytes(value) > 64 ? t('errors.long') : null;
};

export const plate: Rule = (t) => (typed) => {
  const value = tidyEnds(typed);
  if (value === '') return t('errors.required');
  return bytes(value) > 16 ? t('errors.plate') : null;
};

/** A make, a model or a colour, which may be left out. */
export const vehicleDetail: Rule = (t) => (value) => (bytes(value.trim()) > 64 ? t('errors.vehicle') : null);

export const required: Rule = (t) => (value) => (value === '' ? t('errors.required') : null);

/** What the server said of single fields, for a form of these fields. */
export function fieldErrors(t: T, error: unknown, fields: readonly string[]): Record<string, string> {
  if (!(error instanceof ApiError)) return {};
  if (error.code === 'username_taken' && fields.includes('username')) return { username: t('errors.usernameTaken') };
  return Object.fromEntries(
    Object.entries(error.fields)
      .filter(([field]) => fields.includes(field))
      .map(([field, detail]) => [field, passwordError(t, field) ?? detail]),
  );
}

function passwordError(t: T, field: string): string | null {
  if (field === 'current_password') return t('errors.currentPassword');
  return field.endsWith('password') ? t('errors.passwordRefused') : null;
}

/** How hard a password is to guess, from 0 to 3, by its length and variety; 0 if the server refuses it. */
export function strength(value: string, username?: string): 0 | 1 | 2 | 3 {
  if (isCommonPassword(value) || isUsername(value, username)) return 0;
  const distinct = new Set(value).size;
  if (value.length < 8 || distinct < 4) return 0;
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^a-zA-Z\d]/].filter((kind) => kind.test(value)).length;
  if (value.length >= 16 && distinct >= 8) return 3;
  if (value.length >= 12 && kinds >= 2) return 3;
  return value.length >= 10 || kinds >= 3 ? 2 : 1;
}
