import type { ActorKind, CityNode } from '@hexhail/client';
import i18next from 'i18next';

/** The nodes of a cluster; empty when the server is alone. */
export type Nodes = readonly CityNode[];

/** Nodes that are in the cluster, but do not answer: what is shown of them is old. */
export const missing = (nodes: Nodes): Nodes => nodes.filter((node) => node.state === 'missing');

/** Nodes that went without saying so, a few minutes ago at most. */
export const gone = (nodes: Nodes): Nodes => nodes.filter((node) => node.state === 'gone');

/** Names in a sentence: n1, n2 and n3. */
export function namesOf(nodes: Nodes): string {
  return new Intl.ListFormat(i18next.resolvedLanguage ?? 'en', { type: 'conjunction' }).format(nodes.map((node) => node.name));
}

/** When the first of them was heard last; null when none ever was. */
export function heardAt(nodes: Nodes): string | null {
  const times = nodes.flatMap((node) => node.heard_at ?? []).sort((a, b) => Date.parse(a) - Date.parse(b));
  return times[0] ?? null;
}

/**
 * The actors of one node, or of all: counts and rates added up, mean times weighed by messages, and of what is a highest
 * value already the highest.
 */
export function kindsOf(actors: readonly ActorKind[], node: string | null): readonly ActorKind[] {
  if (node !== null) return actors.filter((kind) => kind.node?.name === node);
  const sums = new Map<string, ActorKind>();
  for (const kind of actors) {
    const before = sums.get(kind.kind);
    sums.set(kind.kind, before ? added(before, kind) : kind);
  }
  return [...sums.values()];
}

function added(a: ActorKind, b: ActorKind): ActorKind {
  const rate = a.messages_per_s + b.messages_per_s;
  const mean = (x: number, y: number) => (rate > 0 ? (x * a.messages_per_s + y * b.messages_per_s) / rate : Math.max(x, y));
  return {
    kind: a.kind, alive: a.alive + b.alive, started: a.started + b.started, stopped: a.stopped + b.stopped, panics: a.panics + b.panics,
    waiting: a.waiting + b.waiting, deepest_mailbox: Math.max(a.deepest_mailbox, b.deepest_mailbox), messages: a.messages + b.messages,
    messages_per_s: rate, mean_us: mean(a.mean_us, b.mean_us), p50_us: Math.max(a.p50_us, b.p50_us), p99_us: Math.max(a.p99_us, b.p99_us),
    slowest: [...a.slowest, ...b.slowest].sort((x, y) => y.took_us - x.took_us),
  };
}
