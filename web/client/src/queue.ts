import type { PendingRequest } from './api.js';
import { backoff } from './backoff.js';
import { GaveUpError, ProtocolError, QueueFullError } from './errors.js';
import type { ClientFrame, ClientFrameBody, Reply } from './gen/messages.js';
import type { Asked } from './knowledge/apply.js';
import type { Clock, SendOptions } from './options.js';
import { isCommand, kindOf, laneOf, type CommandKind, type RequestKind } from './requests.js';
import type { CommandStore, StoredCommand } from './store.js';

type Body = ClientFrameBody[RequestKind];
type Encoded = string | Uint8Array<ArrayBuffer>;

interface Entry {
  id: string;
  kind: RequestKind;
  body: Body;
  /** The very same frame for every time that it is sent. */
  data: Encoded;
  since: number;
  patienceMs: number;
  /** How often it was sent; one that was restored may have been. */
  sends: number;
  /** Whether it was sent in this session, and its answer is due. */
  inFlight: boolean;
  retries: number;
  /** Not to be sent before this time, nor later than `waitMs` before it: then the clock was set back. In milliseconds. */
  notBefore: number;
  waitMs: number;
  lastError?: string;
  restored: boolean;
  settle: (result: Reply | Error) => void;
}

/** What the queue needs of its client. */
export interface QueueEnvironment {
  readonly clock: Clock;
  readonly random: () => number;
  readonly newId: () => string;
  readonly limit: number;
  readonly store: CommandStore;
  encode(frame: ClientFrame): Encoded;
  /** Called after `pending` changed. */
  changed(): void;
  /** Called for a restored command that was answered or refused for good. */
  restored(id: string, kind: CommandKind, result: Reply | ProtocolError): void;
}

const defaultPatience = 10_000;

/** Commands and queries without an answer, in the order in which they were given. */
export class RequestQueue {
  readonly #env: QueueEnvironment;
  #entries: Entry[] = [];
  #send: ((data: Encoded) => void) | undefined;
  #accountId = '';
  #pending: readonly PendingRequest[] = [];
  #stopTimer: (() => void) | undefined;

  constructor(env: QueueEnvironment) {
    this.#env = env;
  }

  get pending(): readonly PendingRequest[] {
    return this.#pending;
  }

  /** Sends a message when possible, and until it is answered. */
  add(kind: RequestKind, body: Body, options: SendOptions = {}): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const { signal, giveUpAfterMs = kindOf(kind).giveUpAfterMs, patienceMs = defaultPatience } = options;
      if (signal?.aborted) throw new GaveUpError('aborted', false);
      if (this.#entries.length >= this.#env.limit) throw new QueueFullError(this.#env.limit);
      const giveUp = (why: GaveUpError['why']) => this.#finish(entry, new GaveUpError(why, entry.sends > 0));
      const abort = () => giveUp('aborted');
      const entry: Entry = {
        ...this.#entry(this.#env.newId(), kind, body, this.#env.clock.now()),
        patienceMs,
        settle: (result) => {
          stopDeadline();
          signal?.removeEventListener('abort', abort);
          if (result instanceof Error) reject(result);
          else resolve(result);
        },
      };
      const stopDeadline = giveUpAfterMs === Infinity ? () => undefined : this.#env.clock.after(giveUpAfterMs, () => giveUp('deadline'));
      signal?.addEventListener('abort', abort);
      this.#entries.push(entry);
      this.#changed();
      this.#pump();
    });
  }

  /** Takes up the commands that an earlier page did not see answered. */
  restore(): void {
    const { accountId, commands } = this.#env.store.load(this.#env.clock.now());
    const fresh = commands.filter(({ id }) => !this.#entries.some((entry) => entry.id === id));
    if (fresh.length === 0) return;
    this.#accountId = accountId;
    this.#entries.unshift(...fresh.flatMap((command) => this.#restored(command)));
    this.#changed();
  }

  /** Sends everything in a new session, in order. `online` is what the server believes of the driver. */
  connected(send: (data: Encoded) => void, accountId: string, online: boolean): void {
    if (this.#accountId && this.#accountId !== accountId) {
      const foreign = this.#entries.filter((entry) => entry.restored);
      for (const entry of foreign) this.#remove(entry);
    }
    this.#accountId = accountId;
    this.#send = send;
    for (const entry of this.#entries) {
      entry.inFlight = false;
      entry.notBefore = 0;
      // It may have taken effect and have been undone since; then its id would do nothing. Twice does no harm here.
      const undone = entry.kind === (online ? 'go_offline' : 'go_online') && (entry.sends > 0 || entry.restored);
      if (undone) this.#renew(entry);
    }
    this.#changed();
    this.#pump();
  }

  disconnected(): void {
    this.#send = undefined;
    for (const entry of this.#entries) entry.inFlight = false;
  }

  /**
   * Takes a reply. Returns what was asked if this is its last answer, and undefined if it answers nothing that waits,
   * or if the message is going to be repeated. The promise is settled by `done`, for the view to change before.
   */
  reply(reply: Reply): { readonly asked: Asked; readonly done: () => void } | undefined {
    const entry = this.#entries.find(({ id, inFlight }) => inFlight && id === reply.id);
    if (!entry) return undefined;
    const { error } = reply;
    if (error?.retryable && error.retry_after_ms <= entry.patienceMs) {
      this.#postpone(entry, error.code, error.retry_after_ms);
      return undefined;
    }
    const { kind, body } = entry;
    const asked = { kind, body, repeated: entry.sends > 1 || entry.restored };
    return { asked, done: () => this.#finish(entry, error ? new ProtocolError(error) : reply) };
  }

  /** Ends every wait. Stored commands stay stored if `keep` is true. */
  clear(error: (sent: boolean) => Error, keep: boolean): void {
    const entries = this.#entries;
    this.#entries = [];
    this.#stopTimer?.();
    if (!keep) this.#env.store.save({ accountId: '', commands: [] });
    this.#publish();
    for (const entry of entries) entry.settle(error(entry.sends > 0));
  }

  has(...kinds: readonly RequestKind[]): boolean {
    return this.#entries.some(({ kind }) => kinds.includes(kind));
  }

  #entry(id: string, kind: RequestKind, body: Body, since: number): Omit<Entry, 'settle'> {
    return {
      id, kind, body, since,
      data: this.#encode(id, kind, body),
      patienceMs: defaultPatience,
      sends: 0, inFlight: false, retries: 0, notBefore: 0, waitMs: 0, restored: false,
    };
  }

  #encode(id: string, kind: RequestKind, body: Body): Encoded {
    try {
      return this.#env.encode({ id, [kind]: body });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new ProtocolError({ code: 'invalid_argument', message });
    }
  }

  #restored({ id, kind, body, since }: StoredCommand): Entry[] {
    try {
      const settle = (result: Reply | Error) => {
        if (!(result instanceof GaveUpError)) this.#env.restored(id, kind, result as Reply | ProtocolError);
      };
      return [{ ...this.#entry(id, kind, body, since), restored: true, settle }];
    } catch {
      return []; // of another version of this library
    }
  }

  #renew(entry: Entry): void {
    entry.id = this.#env.newId();
    entry.data = this.#encode(entry.id, entry.kind, entry.body);
    entry.sends = 0;
  }

  #postpone(entry: Entry, code: string, retryAfterMs: number): void {
    entry.inFlight = false;
    entry.lastError = code;
    const wait = retryAfterMs > 0 ? retryAfterMs : backoff(entry.retries, this.#env.random);
    entry.retries += 1;
    entry.notBefore = this.#env.clock.now() + wait;
    entry.waitMs = wait;
    this.#changed();
    this.#pump();
  }

  #pump(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    if (!this.#send) return;
    const now = this.#env.clock.now();
    const busy = new Set<string>();
    let next = Infinity;
    for (const entry of this.#entries) {
      const lane = laneOf(entry.kind, entry.body);
      if (lane !== undefined) {
        if (busy.has(lane)) continue;
        busy.add(lane);
      }
      if (entry.inFlight) continue;
      const left = entry.notBefore - now;
      if (left > 0 && left <= entry.waitMs) {
        next = Math.min(next, entry.notBefore);
        continue;
      }
      entry.inFlight = true;
      entry.sends += 1;
      this.#send(entry.data);
    }
    if (next < Infinity) this.#stopTimer = this.#env.clock.after(next - now, () => this.#pump());
  }

  #finish(entry: Entry, result: Reply | Error): void {
    if (!this.#remove(entry)) return;
    this.#changed();
    entry.settle(result);
    this.#pump();
  }

  #remove(entry: Entry): boolean {
    const at = this.#entries.indexOf(entry);
    if (at >= 0) this.#entries.splice(at, 1);
    return at >= 0;
  }

  #changed(): void {
    const commands = this.#entries.flatMap(({ id, kind, body, since }): StoredCommand[] =>
      isCommand(kind) ? [{ id, kind, body, since }] : [],
    );
    this.#env.store.save({ accountId: this.#accountId, commands });
    this.#publish();
  }

  #publish(): void {
    this.#pending = this.#entries.map(({ id, kind, since, lastError }) => ({ id, kind, since, ...(lastError && { lastError }) }));
    this.#env.changed();
  }
}
