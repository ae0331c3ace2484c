import { fromBinary } from '@bufbuild/protobuf';
import { ClientFrameSchema } from '../../src/gen/hexhail_pb.js';
import {
  createClient, type Client, type ClientFrame, type ClientOptions, type Clock, type Surroundings, type WebSocketLike,
} from '../../src/index.js';
import { toPlain } from '../../src/wire/plain.js';

/** A clock that stands still until it is told to go on. */
export class FakeClock implements Clock {
  #now: number;
  #timers: { readonly at: number; readonly run: () => void }[] = [];

  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, run };
    this.#timers.push(timer);
    return () => (this.#timers = this.#timers.filter((other) => other !== timer));
  }

  /** Sets the time without running what is due, as when a device sleeps. */
  jump(ms: number): void {
    this.#now += ms;
  }

  /** Goes on, and runs what is due in its order. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await settled();
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
      await settled();
    }
    this.#now = until;
  }

  get timers(): number {
    return this.#timers.length;
  }
}

/** Lets promises go on. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));

/** The server's end of a socket. */
export class FakeSocket implements WebSocketLike {
  binaryType = '';
  bufferedAmount = 0;
  readonly protocol: string;
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  /** What the client sent and no test has taken yet. */
  readonly sent: ClientFrame[] = [];
  closed = false;
  readyState = 1;

  constructor(
    readonly url: string,
    readonly protocols: string[],
  ) {
    this.protocol = protocols[0] ?? '';
  }

  send(data: string | Uint8Array): void {
    if (this.closed || this.readyState > 1) throw new Error('closed');
    const frame = typeof data === 'string' ? (JSON.parse(data) as ClientFrame) : readClientFrame(data);
    this.sent.push(frame);
  }

  close(): void {
    this.closed = true;
  }

  accept(): void {
    this.onopen?.({} as never);
  }

  deliver(data: unknown): void {
    this.onmessage?.({ data } as never);
  }

  /** Sends a frame; zeros may be left out. */
  say(frame: object): void {
    this.deliver(JSON.stringify(frame));
  }

  fail(code = 1006): void {
    this.closed = true;
    this.onclose?.({ code } as never);
  }

  /** Takes the oldest frame of a kind, which has to be the next of all unless it is a ping. */
  take<K extends keyof ClientFrame>(kind: K): ClientFrame & Required<Pick<ClientFrame, K>> {
    const frame = this.sent.shift();
    if (!frame || !(kind in frame)) throw new Error(`expected ${kind}, found ${JSON.stringify(frame)}`);
    return frame as ClientFrame & Required<Pick<ClientFrame, K>>;
  }
}

// What a server would see, without the zeros that the client did not send.
function readClientFrame(bytes: Uint8Array): ClientFrame {
  return withoutZeros(toPlain(ClientFrameSchema, fromBinary(ClientFrameSchema, bytes))) as ClientFrame;
}

/** A copy without empty texts, zeros and empty lists, for comparing what both encodings say. */
export function withoutZeros(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutZeros);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([, v]) => v !== '' && v !== 0 && v !== false && v !== undefined);
  return Object.fromEntries(kept.map(([k, v]) => [k, withoutZeros(v)]));
}

export class FakeSurroundings implements Surroundings {
  online = true;
  listener: ((signal: 'online' | 'offline' | 'visible') => void) | undefined;
  isOnline = () => this.online;
  watch(listener: (signal: 'online' | 'offline' | 'visible') => void): () => void {
    this.listener = listener;
    return () => (this.listener = undefined);
  }
}

/** A client on fake sockets and a fake clock, with JSON unless told otherwise. */
export class Bench {
  readonly clock = new FakeClock();
  readonly sockets: FakeSocket[] = [];
  readonly surroundings = new FakeSurroundings();
  readonly asked: boolean[] = [];
  readonly client: Client;
  readonly events: { readonly name: string; readonly event: unknown }[] = [];
  #ids = 0;

  constructor(options: Partial<ClientOptions> = {}) {
    const { sockets } = this;
    this.client = createClient({
      url: 'ws://hexhail.test/v1/ws',
      credentials: ({ fresh }) => {
        this.asked.push(fresh);
        return { token: `token ${this.asked.length}` };
      },
      encoding: 'json',
      WebSocket: class extends FakeSocket {
        constructor(url: string, protocols: string[]) {
          super(url, protocols);
          sockets.push(this);
        }
      },
      clock: this.clock,
      random: () => 0.5,
      newId: () => `id-${++this.#ids}`,
      surroundings: this.surroundings,
      ...options,
    });
    const names = ['trip', 'tripEnded', 'tripRated', 'tripGone', 'offer', 'offerClosed', 'online', 'refused', 'restored'] as const;
    for (const name of names) this.client.on(name, (event) => this.events.push({ name, event }));
  }

  /** The socket that was opened last. */
  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error('no socket was opened');
    return socket;
  }

  /** Opens a socket as far as `connected`. */
  async connect(connected: object = {}): Promise<FakeSocket> {
    if (this.client.state.status === 'idle') this.client.start();
    await settled();
    const { socket } = this;
    socket.accept();
    this.welcome(connected);
    await settled();
    return socket;
  }

  /** Takes `connect`, and answers it. */
  welcome(connected: object = {}): ClientFrame {
    const frame = this.socket.take('connect');
    const server_time = new Date(this.clock.now()).toISOString();
    const defaults = { session_id: 's', epoch: 'e', account_id: 'a', role: 'rider', server_time, heartbeat_ms: 5000, position_ttl_ms: 15000 };
    this.socket.say({ reply: { id: frame.id, connected: { ...defaults, ...connected } } });
    return frame;
  }
}
