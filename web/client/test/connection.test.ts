import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createClient, type Credentials } from '../src/index.js';
import { backoff } from '../src/backoff.js';
import { closeCodes, judge } from '../src/closecodes.js';
import { Bench, settled } from './support/fakes.js';

describe('connecting', () => {
  test('goes from idle to connected, and says so', async () => {
    const bench = new Bench({ name: 'app/1' });
    const seen: string[] = [];
    bench.client.on('state', ({ status }) => seen.push(status));
    expect(bench.client.state).toEqual({ status: 'idle' });
    bench.client.start();
    await settled();
    expect(bench.socket.protocols).toEqual(['hexhail.v1.json']);
    bench.socket.accept();
    expect(bench.welcome().connect).toEqual({ token: 'token 1', client: 'app/1' });
    expect(bench.client.state).toEqual({ status: 'connected', accountId: 'a', role: 'rider', sessionId: 's', resumed: false });
    bench.client.stop();
    expect(seen).toEqual(['connecting', 'connected', 'stopped']);
    expect(bench.socket.closed).toBe(true);
    expect(bench.clock.timers).toBe(0);
  });

  test('resumes where the last event left it', async () => {
    const bench = new Bench();
    const socket = await bench.connect({ seq: 7 });
    socket.say({ event: { epoch: 'e', seq: 8 } });
    socket.fail();
    await bench.clock.advance(500);
    bench.socket.accept();
    expect(bench.welcome({ resumed: true, seq: 8 }).connect?.resume).toEqual({ epoch: 'e', seq: 8 });
    expect(bench.client.state).toMatchObject({ status: 'connected', resumed: true });
  });

  test('after a gap it does not resume', async () => {
    const bench = new Bench();
    const socket = await bench.connect({ seq: 7 });
    socket.say({ event: { epoch: 'e', seq: 9 } });
    expect(bench.client.state).toMatchObject({ status: 'waiting', cause: { reason: 'gap' } });
    await bench.clock.advance(500);
    bench.socket.accept();
    expect(bench.socket.take('connect').connect.resume).toBeUndefined();
  });

  test('a server that says nothing is left after 10 seconds', async () => {
    const bench = new Bench();
    bench.client.start();
    await bench.clock.advance(9_999);
    expect(bench.client.state.status).toBe('connecting');
    await bench.clock.advance(1);
    expect(bench.client.state).toMatchObject({ status: 'waiting', cause: { reason: 'timeout' } });
  });

  test('no server makes a client wait for more than ten minutes', async () => {
    const bench = new Bench();
    const socket = await bench.connect();
    socket.say({ event: { epoch: 'e', seq: 0, disconnecting: { close_code: 4000, reason: 'shutdown', retry_after_ms: 4_294_967_295 } } });
    socket.fail();
    await bench.clock.advance(10 * 60_000);
    expect(bench.sockets).toHaveLength(2);
  });

  test('a silent server is left, also when the clock was set back', async () => {
    const bench = new Bench();
    const socket = await bench.connect({ heartbeat_ms: 5_000 });
    bench.clock.jump(-3_600_000);
    await bench.clock.advance(3_600_000 + 5_000); // to where the timers of before are due
    socket.take('ping');
    await bench.clock.advance(5_000);
    expect(bench.client.state.status).not.toBe('connected');
  });

  test('several addresses are tried in turn; http means ws', async () => {
    const bench = new Bench({ url: ['https://one.test/v1/ws', 'ws://two.test/v1/ws'] });
    bench.client.start();
    for (let i = 0; i < 3; i++) {
      await settled();
      bench.socket.fail();
      await bench.clock.advance(30_000);
    }
    expect(bench.sockets.slice(0, 3).map(({ url }) => url)).toEqual(['wss://one.test/v1/ws', 'ws://two.test/v1/ws', 'wss://one.test/v1/ws']);
  });

  test('an address that is none, or no WebSocket at all, is said at once', async () => {
    const bench = new Bench({ url: 'nowhere' });
    bench.client.start();
    await settled();
    expect(bench.client.state).toMatchObject({ status: 'refused', code: 'bad_address' });
    expect(() => createClient({ url: [], credentials: () => null, WebSocket: Object as never })).toThrow(TypeError);
  });
});

describe('credentials', () => {
  test('none: the person has to log in', async () => {
    const bench = new Bench({ credentials: () => null });
    bench.client.start();
    await settled();
    expect(bench.client.state).toMatchObject({ status: 'refused', code: 'unauthenticated' });
    expect(bench.sockets).toHaveLength(0);
  });

  test('a failing fetch is tried again', async () => {
    let calls = 0;
    const bench = new Bench({ credentials: () => (calls++ === 0 ? Promise.reject(new Error('no network')) : { ticket: 't' }) });
    bench.client.start();
    await settled();
    expect(bench.client.state).toMatchObject({ status: 'waiting', cause: { reason: 'credentials' } });
    await bench.clock.advance(250);
    bench.socket.accept();
    expect(bench.socket.take('connect').connect).toEqual({ ticket: 't' });
  });

  test('are never fetched twice at once', async () => {
    const answers: ((credentials: Credentials) => void)[] = [];
    const bench = new Bench({ credentials: () => new Promise((resolve) => answers.push(resolve)) });
    bench.client.start();
    await settled();
    bench.client.stop();
    bench.client.start();
    await settled();
    expect(answers).toHaveLength(1);
    answers[0]?.({ ticket: 'of the first' });
    await settled();
    expect(bench.sockets).toHaveLength(0);
    answers[1]?.({ ticket: 'of the second' });
    await settled();
    bench.socket.accept();
    expect(bench.socket.take('connect').connect.ticket).toBe('of the second');
  });

  test('fresh ones are asked for at once when a token has expired', async () => {
    const bench = new Bench();
    const socket = await bench.connect();
    await bench.clock.advance(2_000);
    socket.fail(4004);
    await settled();
    expect(bench.asked).toEqual([false, true]);
    expect(bench.sockets).toHaveLength(2);
    // A token that expires as soon as it is used is tried slowly.
    bench.socket.accept();
    bench.welcome();
    bench.socket.fail(4004);
    await settled();
    expect(bench.client.state).toMatchObject({ status: 'waiting', cause: { reason: 'token_expired', closeCode: 4004 } });
  });

  test('that do not count are refreshed once', async () => {
    const bench = new Bench();
    bench.client.start();
    for (let i = 0; i < 2; i++) {
      await settled();
      bench.socket.accept();
      const { id } = bench.socket.take('connect');
      bench.socket.say({ reply: { id, error: { code: 'unauthenticated', message: 'No.' } } });
      // The close frame may be lost; the reply has said enough.
      bench.socket.fail(i === 0 ? 1006 : 4501);
    }
    await settled();
    expect(bench.asked).toEqual([false, true]);
    expect(bench.client.state).toEqual({ status: 'refused', code: 'unauthenticated', message: 'No.', closeCode: 4501 });
    bench.client.connectNow();
    await settled();
    expect(bench.asked).toEqual([false, true, true]);
  });
});

describe('close codes', () => {
  test('are those of docs/protocol.md', () => {
    const page = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8');
    const table = page.split('<!-- close-codes -->')[1]?.split('\n\n')[0] ?? '';
    const rows = [...table.matchAll(/^\| (\d+) \| `(\w+)` \| (yes|no) \|/gm)].map(([, code, reason, back]) => ({ code: Number(code), reason, back }));
    expect(rows.length).toBeGreaterThan(12);
    const own = [...closeCodes].filter(([code]) => code >= 4000);
    expect(own.map(([code, { reason }]) => ({ code, reason }))).toEqual(rows.map(({ code, reason }) => ({ code, reason })));
    for (const { code, back } of rows) {
      const { verdict } = judge(code);
      // 4501 says to refresh once.
      if (code !== 4501) expect([code, verdict === 'wait' || verdict === 'fresh']).toEqual([code, back === 'yes']);
    }
  });

  test.each([
    [4000, 'waiting'], [4003, 'waiting'], [4005, 'waiting'], [4499, 'waiting'], [1006, 'waiting'], [1001, 'waiting'], [1000, 'waiting'],
    [4500, 'refused'], [4502, 'refused'], [4504, 'refused'], [4505, 'refused'], [4999, 'refused'], [1002, 'refused'], [1009, 'refused'],
    [4503, 'replaced'],
  ])('%i: %s', async (code, status) => {
    const bench = new Bench();
    const socket = await bench.connect();
    socket.fail(code);
    expect(bench.client.state.status).toBe(status);
    await bench.clock.advance(120_000);
    expect(bench.sockets.length > 1).toBe(status === 'waiting');
  });

  test('replaced: only the person goes on', async () => {
    const bench = new Bench();
    const socket = await bench.connect();
    socket.fail(4503);
    bench.surroundings.listener?.('visible');
    bench.client.start();
    await settled();
    expect(bench.sockets).toHaveLength(1);
    bench.client.connectNow();
    await settled();
    expect(bench.sockets).toHaveLength(2);
  });

  test('what disconnecting announced counts when the close frame is lost', async () => {
    const bench = new Bench();
    const socket = await bench.connect();
    socket.say({ event: { epoch: 'e', seq: 0, disconnecting: { close_code: 4000, reason: 'shutdown', retry_after_ms: 3390 } } });
    socket.fail(1006);
    const now = bench.clock.now();
    expect(bench.client.state).toEqual({
      status: 'waiting', attempt: 1, retryAt: now + 3390, cause: { reason: 'shutdown', closeCode: 4000 },
    });
    // A page that comes to the front does not spare what the server asked for.
    bench.surroundings.listener?.('visible');
    await settled();
    expect(bench.sockets).toHaveLength(1);
  });
});

describe('backoff', () => {
  test('is a random part of a time that doubles, up to 30 seconds', () => {
    const most = Array.from({ length: 10 }, (_, n) => backoff(n, () => 0.999999));
    expect(most.map(Math.round)).toEqual([500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000, 30000]);
    expect(backoff(1e6, () => 0)).toBe(0);
  });

  test('grows with each failure, and begins anew when connected', async () => {
    const bench = new Bench();
    bench.client.start();
    const waits: number[] = [];
    const wait = () => {
      const { state } = bench.client;
      return state.status === 'waiting' ? state.retryAt - bench.clock.now() : NaN;
    };
    for (let i = 0; i < 4; i++) {
      await settled();
      bench.socket.fail();
      waits.push(wait());
      await bench.clock.advance(wait());
    }
    bench.socket.accept();
    bench.welcome();
    bench.socket.fail();
    expect([...waits, wait()]).toEqual([250, 500, 1000, 2000, 250]);
  });
});

describe('liveness', () => {
  test('asks when nothing came, and leaves when nothing answers', async () => {
    const bench = new Bench();
    const socket = await bench.connect();
    await bench.clock.advance(4_999);
    expect(socket.sent).toEqual([]);
    await bench.clock.advance(1);
    const { id } = socket.take('ping');
    socket.say({ reply: { id, pong: { server_time: new Date(bench.clock.now()).toISOString() } } });
    await bench.clock.advance(4_999);
    expect(socket.sent).toEqual([]);
    await bench.clock.advance(1);
    socket.take('ping');
    await bench.clock.advance(4_999);
    expect(bench.client.state.status).toBe('connected');
    await bench.clock.advance(1);
    expect(bench.client.state).toMatchObject({ status: 'waiting', cause: { reason: 'silent' } });
  });

  test('whatever comes counts', async () => {
    const bench = new Bench();
    const socket = await bench.connect();
    for (let seq = 1; seq < 10; seq++) {
      await bench.clock.advance(3_000);
      socket.say({ event: { epoch: 'e', seq } });
    }
    expect(socket.sent).toEqual([]);
  });

  test('a device that slept asks before it judges', async () => {
    const bench = new Bench();
    const socket = await bench.connect();
    bench.clock.jump(3_600_000);
    await bench.clock.advance(0);
    expect(bench.client.state.status).toBe('connected');
    const { id } = socket.take('ping');
    socket.say({ reply: { id, pong: { server_time: '2026-01-01T00:00:00Z' } } });
    await bench.clock.advance(4_000);
    expect(bench.client.state.status).toBe('connected');
  });

  test('a page that comes to the front asks at once, for 3 seconds', async () => {
    const bench = new Bench();
    const socket = await bench.connect();
    bench.surroundings.listener?.('visible');
    socket.take('ping');
    await bench.clock.advance(3_000);
    expect(bench.client.state).toMatchObject({ status: 'waiting', cause: { reason: 'silent' } });
  });
});

describe('the network of the device', () => {
  test('offline is said, and online spares the wait', async () => {
    const bench = new Bench();
    const socket = await bench.connect();
    bench.surroundings.online = false;
    socket.fail();
    expect(bench.client.state.status).toBe('offline');
    bench.surroundings.online = true;
    bench.surroundings.listener?.('online');
    await settled();
    expect(bench.sockets).toHaveLength(2);
  });
});

describe("the server's clock", () => {
  test('is known from connected, and better from a quicker pong', async () => {
    const bench = new Bench();
    const ahead = 60_000;
    bench.client.start();
    await settled();
    bench.socket.accept();
    await bench.clock.advance(400); // the way there and back; the server wrote the time at its end
    bench.welcome({ server_time: new Date(bench.clock.now() + ahead).toISOString() });
    expect(bench.client.serverNow() - bench.clock.now()).toBe(ahead + 200);
    await bench.clock.advance(5_000);
    const { id } = bench.socket.take('ping');
    await bench.clock.advance(20);
    bench.socket.say({ reply: { id, pong: { server_time: new Date(bench.clock.now() - 10 + ahead).toISOString() } } });
    expect(bench.client.serverNow() - bench.clock.now()).toBe(ahead);
  });
});
