import type { Schemas } from '../../../api/http';
import { liveStatuses, statuses, type Status } from '../../../lib/trip/status';

// The filters of the console's lists, as the URL holds them. Everything is text there, so that
// links stay readable, and anything typed into the address becomes a filter or nothing.

export type AccountRole = Schemas['AccountView']['role'];
export type Approval = Schemas['ApprovalView']['state'];
export type AccountStatus = Schemas['AccountView']['status'];

/** The members of a union that the API's description declares, in this order: one that is missing does not compile. */
const all = <T extends string>(members: Record<T, true>) => Object.keys(members) as readonly string[] as readonly T[];

export const accountRoles = all<AccountRole>({ rider: true, driver: true, operator: true });
export const approvals = all<Approval>({ pending: true, approved: true, refused: true });
export const accountStatuses = all<AccountStatus>({ active: true, suspended: true });

/** Ready-made spans of time that end now. */
export const periods = ['15m', '1h', 'today', '7d'] as const;
export type Period = (typeof periods)[number];

/** A span of time: a ready-made one, or two ends of which either may be open. ISO 8601, UTC. */
export interface Span {
  readonly period?: Period;
  readonly from?: string;
  readonly to?: string;
}

export interface TripsSearch extends Span {
  /** "live", or statuses with commas between; none: all. */
  readonly status?: string;
  readonly q?: string;
  /** A rider's or driver's id. */
  readonly account?: string;
}

export interface PeopleSearch {
  readonly role?: AccountRole;
  readonly status?: AccountStatus;
  readonly q?: string;
}

export interface ApprovalsSearch {
  /** Absent: those who wait. */
  readonly state?: Exclude<Approval, 'pending'>;
  readonly q?: string;
}

export interface AuditSearch extends Span {
  readonly actor?: string;
  readonly action?: string;
  readonly subject?: string;
}

type Raw = Record<string, unknown>;

/** The API's own limit for texts to look for and ids. */
const longest = 64;

function text(raw: Raw, key: string): string | undefined {
  const value = raw[key];
  // The router reads ?q=12 as a number.
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  return String(value).trim().slice(0, longest) || undefined;
}

function oneOf<T extends string>(raw: Raw, key: string, known: readonly T[]): T | undefined {
  const value = text(raw, key);
  return known.find((k) => k === value);
}

function instant(raw: Raw, key: string): string | undefined {
  const at = Date.parse(text(raw, key) ?? '');
  return Number.isNaN(at) ? undefined : new Date(at).toISOString();
}

function span(raw: Raw): Span {
  const period = oneOf(raw, 'period', periods);
  return period ? { period } : { from: instant(raw, 'from'), to: instant(raw, 'to') };
}

/** Leaves out what is not set, so that it does not appear in the URL. */
function only<T extends object>(values: T): T {
  return Object.fromEntries(Object.entries(values).filter(([, v]) => v !== undefined)) as T;
}

export function tripsSearch(raw: Raw): TripsSearch {
  return only({ status: statusText(statusesOf(text(raw, 'status'))), ...span(raw), q: text(raw, 'q'), account: text(raw, 'account') });
}

export function peopleSearch(raw: Raw): PeopleSearch {
  return only({ role: oneOf(raw, 'role', accountRoles), status: oneOf(raw, 'status', accountStatuses), q: text(raw, 'q') });
}

export function approvalsSearch(raw: Raw): ApprovalsSearch {
  return only({ state: oneOf(raw, 'state', ['approved', 'refused'] as const), q: text(raw, 'q') });
}

export function auditSearch(raw: Raw): AuditSearch {
  return only({ actor: text(raw, 'actor'), action: text(raw, 'action'), subject: text(raw, 'subject'), ...span(raw) });
}

/** The statuses that a filter means, in the order of a trip's life; none means all. */
export function statusesOf(filter: string | undefined): readonly Status[] {
  if (filter === 'live') return liveStatuses;
  const named = new Set(filter?.split(','));
  return statuses.filter((s) => named.has(s));
}

/** The filter's text for some statuses. All of them is no filter. */
export function statusText(wanted: readonly string[]): string | undefined {
  const chosen = statuses.filter((s) => wanted.includes(s));
  if (chosen.length === 0 || chosen.length === statuses.length) return undefined;
  const text = chosen.join(',');
  return text === liveStatuses.join(',') ? 'live' : text;
}

/** Where a span begins and ends, for the API. A day begins at midnight where the operator is. */
export function boundsOf({ period, from, to }: Span, now: Date): { from?: string; to?: string } {
  const ago = (minutes: number) => ({ from: new Date(now.getTime() - minutes * 60_000).toISOString() });
  switch (period) {
    case '15m':
      return ago(15);
    case '1h':
      return ago(60);
    case '7d':
      return ago(7 * 24 * 60);
    case 'today':
      return { from: new Date(now.getFullYear(), now.getMonth(), now.getDate()).toISOString() };
    case undefined:
      return only({ from, to });
  }
}
