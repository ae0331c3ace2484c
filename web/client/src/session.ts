import { closeCodeOf } from './closecodes.js';
import type { Connect, Connected, ErrorReply, ServerFrame } from './gen/messages.js';
import type { Clock, WebSocketConstructor, WebSocketLike } from './options.js';
import type { Codec } from './wire/codec.js';

/** How a session ended. */
export interface SessionEnd {
  /** The close code: of the close frame, else announced by the server, else what a refused `connect` leads to. */
  readonly closeCode?: number;
  /** What the client itself found: `lost`, `silent`, `timeout`, `gap`, `unreadable`. */
  readonly found?: string;
  /** How long the server asks to wait, in milliseconds; 0: it has not. */
  readonly retryAfterMs: number;
  /** Why `connect` was refused. */
  readonly error?: ErrorReply;
}

export interface SessionOptions {
  readonly url: string;
  readonly codec: Codec;
  readonly WebSocket: WebSocketConstructor;
  readonly clock: Clock;
  readonly connect: Connect;
  readonly connectId: string;
  readonly timeoutMs: number;
  /** `sentAt`: when `connect` was sent, in milliseconds. */
  onConnected(connected: Connected, sentAt: number): void;
  /** Every frame after `connected`, besides the answers to the session's own pings. */
  onFrame(frame: ServerFrame): void;
  onServerTime(time: string, sentAt: number): void;
  /** Called once, at the end, unless `close` was called before. */
  onEnd(end: SessionEnd): void;
}

const probeMs = 3_000;
/** No server leaves more time between two signs of life than this, in milliseconds. */
const mostHeartbeatMs = 5 * 60_000;

/** One socket, from its opening to its end: the handshake, `connect`, and whether the other side still lives. */
export class Session {
  readonly #options: SessionOptions;
  readonly #socket: WebSocketLike;
  #over = false;
  #connected = false;
  #connectSentAt = 0;
  #heartbeatMs = 0;
  #heardAt = 0;
  /** The ping that waits for anything to come. */
  #ping: { readonly id: string; readonly sentAt: number } | undefined;
  #pings = 0;
  #stopTimer: () => void;
  // What the server said of its reasons before it closed.
  #announced: { closeCode?: number; retryAfterMs: number; error?: ErrorReply } = { retryAfterMs: 0 };

  /** Opens a socket. Throws if the address is no address. */
  constructor(options: SessionOptions) {
    this.#options = options;
    const { WebSocket, url, codec, clock, timeoutMs } = options;
    const socket = new WebSocket(url, [codec.subprotocol]);
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => this.#opened();
    socket.onmessage = (event: { readonly data: unknown }) => this.#received(event.data);
    socket.onclose = (event: { readonly code: number }) => this.#ended({ closeCode: event.code });
    socket.onerror = () => undefined; // a close follows, with all that can be known
    this.#stopTimer = clock.after(timeoutMs, () => this.#ended({ found: 'timeout' }));
  }

  /** How many bytes wait to leave this device. */
  get buffered(): number {
    return this.#socket.bufferedAmount;
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    // Browsers report what is sent meanwhile as an error of the page. The close tells how it goes on.
    if (this.#over || (this.#socket.readyState ?? 1) > 1) return;
    try {
      this.#socket.send(data);
    } catch {
      this.#ended({ found: 'lost' }); // closing already
    }
  }

  /** Finds out quickly whether the socket still works, as after a device has slept. */
  probe(): void {
    if (!this.#connected || this.#over) return;
    if (!this.#ping) this.#sendPing();
    this.#watch(Math.min(probeMs, this.#heartbeatMs));
  }

  /** Ends the session without a call of `onEnd`. */
  close(): void {
    this.#leave();
  }

  /** Ends the session because an event is missing. */
  closeForGap(): void {
    this.#ended({ found: 'gap' });
  }

  #opened(): void {
    const { connect, connectId, codec, clock } = this.#options;
    if (this.#over) return;
    this.#connectSentAt = clock.now();
    this.send(codec.encode({ id: connectId, connect }));
  }

  #received(data: unknown): void {
    if (this.#over) return;
    this.#heardAt = this.#options.clock.now();
    let frame: ServerFrame;
    try {
      frame = this.#options.codec.decode(data);
    } catch {
      this.#ended({ found: 'unreadable' });
      return;
    }
    this.#answered(frame);
    const { event } = frame;
    if (event?.disconnecting) {
      const { close_code, retry_after_ms } = event.disconnecting;
      this.#announced = { ...this.#announced, closeCode: close_code, retryAfterMs: retry_after_ms };
    }
    if (this.#connected) this.#options.onFrame(frame);
    else this.#connecting(frame);
  }

  #connecting({ reply }: ServerFrame): void {
    if (!reply) return;
    if (reply.error) {
      const { code, retryable, retry_after_ms } = reply.error;
      this.#announced = { closeCode: closeCodeOf(code, retryable), retryAfterMs: retry_after_ms, error: reply.error };
      return; // the close follows, or the time runs out
    }
    if (!reply.connected) return;
    this.#connected = true;
    this.#heartbeatMs = Math.min(mostHeartbeatMs, Math.max(1_000, reply.connected.heartbeat_ms));
    this.#options.onServerTime(reply.connected.server_time, this.#connectSentAt);
    this.#watch(this.#heartbeatMs);
    this.#options.onConnected(reply.connected, this.#connectSentAt);
  }

  /** Whatever comes answers the question whether the server lives; a pong tells its time, too. */
  #answered({ reply }: ServerFrame): void {
    const ping = this.#ping;
    this.#ping = undefined;
    if (ping && reply?.pong && reply.id === ping.id) this.#options.onServerTime(reply.pong.server_time, ping.sentAt);
  }

  // Scripts in browsers do not see the server's pings, so the client sends its own when nothing else comes. Only an
  // unanswered one ends the session: a clock that stood still, as in a page in the background, proves nothing.
  #watch(ms: number): void {
    this.#stopTimer();
    this.#stopTimer = this.#options.clock.after(ms, () => {
      const now = this.#options.clock.now();
      // A clock that was set back says nothing of how long it was: the timer does.
      if (this.#ping && (now - this.#ping.sentAt >= ms || now < this.#ping.sentAt)) {
        this.#ended({ found: 'silent' });
        return;
      }
      const left = now < this.#heardAt ? 0 : this.#heardAt + this.#heartbeatMs - now;
      if (!this.#ping && left > 0) {
        this.#watch(left);
        return;
      }
      if (!this.#ping) this.#sendPing();
      this.#watch(this.#heartbeatMs);
    });
  }

  #sendPing(): void {
    this.#pings += 1;
    this.#ping = { id: `ping-${this.#pings}`, sentAt: this.#options.clock.now() };
    this.send(this.#options.codec.encode({ id: this.#ping.id, ping: {} }));
  }

  #ended({ closeCode, found }: { closeCode?: number; found?: string }): void {
    if (this.#over) return;
    this.#leave();
    const { closeCode: announced, retryAfterMs, error } = this.#announced;
    // 1005 and 1006 mean that there was no close frame to say more.
    const told = closeCode !== undefined && closeCode !== 1005 && closeCode !== 1006 ? closeCode : announced;
    this.#options.onEnd({
      retryAfterMs,
      ...(told !== undefined && { closeCode: told }),
      ...(told === undefined && { found: found ?? 'lost' }),
      ...(error && { error }),
    });
  }

  #leave(): void {
    this.#over = true;
    this.#stopTimer();
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    try {
      this.#socket.close(1000);
    } catch {
      // Not open yet, or closed: nothing to do.
    }
  }
}
