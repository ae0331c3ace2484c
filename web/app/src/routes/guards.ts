import { redirect, type ParsedLocation } from '@tanstack/react-router';

import type { Role } from '../api/http';
import { auth, homeOf } from '../api/auth/index';

/** Lets only these roles in. Strangers log in first and come back; others go where they belong. */
export function only(...roles: Role[]) {
  return ({ location }: { location: ParsedLocation }): void => {
    const account = auth.current?.account;
    if (!account) throw redirect({ to: '/login', search: { next: location.href } });
    if (roles.length > 0 && !roles.includes(account.role)) throw redirect({ to: homeOf(account.role), replace: true });
  };
}

/** For pages that are of use to strangers alone. */
export function strangersOnly({ search }: { search: { next?: string } }): void {
  const account = auth.current?.account;
  if (account) throw redirect({ to: search.next ?? homeOf(account.role), replace: true });
}

/** Reads a return path out of a URL. Only paths of this app count, so that no link leads elsewhere. */
export function returnPath(search: Record<string, unknown>): { next?: string } {
  const next = search.next;
  return typeof next === 'string' && /^\/(?![/\\])/.test(next) ? { next } : {};
}
