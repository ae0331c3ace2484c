import type { Schemas } from '../../api/http';

/** What operators can do. The failed ones are on record with `.failed` behind. */
export const actions = [
  'trip.cancel', 'trip.redispatch', 'trips.export', 'streets.reload', 'demo.dispatch', 'account.approve', 'account.refuse', 'account.suspend', 'account.reinstate', 'account.logout', 'account.password', 'account.remove_photo', 'account.erase', 'operator.create',
] as const;
export type Action = (typeof actions)[number];

/** An entry of the audit, taken apart. */
export interface Entry {
  /** Null for an action that this version of the app does not know. */
  readonly action: Action | null;
  readonly failed: boolean;
  readonly subject: 'trip' | 'person' | 'trips' | 'unknown';
  /** The reason that the operator gave. */
  readonly reason: string;
  /** Why it failed: one of the API's codes. */
  readonly code: string;
}

const failure = '.failed';

export function entryOf({ action: full, detail }: Pick<Schemas['AuditView'], 'action' | 'detail'>): Entry {
  const failed = full.endsWith(failure);
  const name = failed ? full.slice(0, -failure.length) : full;
  const kind = name.split('.')[0];
  const said = detailOf(detail);
  return {
    action: actions.find((a) => a === name) ?? null,
    failed,
    subject: kind === 'trip' || kind === 'trips' ? kind : kind === 'account' || kind === 'operator' ? 'person' : 'unknown',
    reason: said.reason ?? (said.code === undefined ? detail : ''),
    code: said.code ?? '',
  };
}

/** Details are JSON with a reason or a code, or plain text where the command line wrote them. */
function detailOf(detail: string): { reason?: string; code?: string } {
  try {
    const value: unknown = JSON.parse(detail);
    if (typeof value !== 'object' || value === null) return {};
    const { reason, code } = value as Record<string, unknown>;
    return { ...(typeof reason === 'string' ? { reason } : {}), ...(typeof code === 'string' ? { code } : {}) };
  } catch {
    return {};
  }
}

type Underscored<T extends string> = T extends `${infer A}.${infer B}` ? `${A}_${B}` : never;

/** The name of an action as a key of the texts, in which dots lead into groups. */
export function actionKey<T extends Action>(action: T): Underscored<T> {
  return action.replace('.', '_') as Underscored<T>;
}
