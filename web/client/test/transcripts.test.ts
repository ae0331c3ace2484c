import { describe, expect, test } from 'vitest';
import type { ClientFrame, Offer, OfferClosed, ServerFrame, Trip } from '../src/index.js';
import { isRequestKind } from '../src/requests.js';
import { Bench, settled, withoutZeros } from './support/fakes.js';
import { dataOf, frameOf, readTranscript, type Line } from './support/transcript.js';

/** Plays one person's part of a transcript to the library, which has to say what the person said. */
class Replay {
  readonly bench: Bench;
  readonly received: ServerFrame[] = [];
  /** From the ids of the transcript to those of the library. */
  readonly #ids = new Map<string, string>();
  readonly results: Promise<unknown>[] = [];

  constructor(readonly lines: readonly Line[]) {
    const encoding = lines.some(({ proto }) => proto !== undefined) ? 'proto' : 'json';
    this.bench = new Bench({ encoding, name: 'transcript/1' });
  }

  async play(): Promise<void> {
    this.bench.client.start();
    await settled();
    for (const line of this.lines) {
      await this.#line(line);
      await settled();
    }
  }

  async #line(line: Line): Promise<void> {
    const { bench } = this;
    if (line.what === 'opened') {
      const { state } = bench.client;
      if (state.status === 'waiting') await bench.clock.advance(state.retryAt - bench.clock.now());
      bench.socket.accept();
    }
    if (line.what === 'sent' && line.frame) await this.#sent(line.frame);
    if (line.what === 'received') {
      this.received.push(frameOf(line));
      bench.socket.deliver(dataOf(line, (id) => this.#ids.get(id) ?? id));
    }
    if (line.what === 'lost') bench.socket.fail();
    if (line.what === 'closed') bench.socket.fail(line.code);
  }

  async #sent(recorded: ClientFrame): Promise<void> {
    const { bench } = this;
    const kind = Object.keys(recorded).find((name) => name !== 'id') as keyof ClientFrame;
    const known = this.#ids.has(recorded.id ?? '');
    if (kind === 'location') {
      await bench.clock.advance(1_000);
      const { point } = recorded.location ?? {};
      bench.client.sendLocation({ lat: point?.lat ?? 0, lng: point?.lng ?? 0, heading_deg: recorded.location?.heading_deg ?? 0 });
      expect(bench.socket.take('location').location.point).toEqual(point);
      return;
    }
    if (!known && isRequestKind(kind)) {
      const body = recorded[kind] ?? {};
      this.results.push(bench.client.request(kind, body).catch((error: unknown) => error));
    }
    const frame = bench.socket.take(kind);
    // A repetition has to have the same id.
    if (known) expect(frame.id).toBe(this.#ids.get(recorded.id ?? ''));
    this.#ids.set(recorded.id ?? '', frame.id);
    const lost = recorded.connect?.resume?.epoch === 'another'; // the recorder claimed a history that does not exist
    if (!lost) expect(content(frame)).toEqual(content(recorded));
  }
}

function content(frame: ClientFrame): unknown {
  const { connect, ...rest } = frame;
  return withoutZeros({ ...rest, id: '', ...(connect && { connect: { ...connect, token: '' } }) });
}

const told = (frames: readonly ServerFrame[]): Trip[] =>
  frames.flatMap(({ reply, event }) => {
    const trip = reply?.trip ?? reply?.connected?.active_trip ?? event?.trip_updated?.trip;
    return trip ? [trip] : [];
  });

const personsOf = (file: string) => {
  const lines = readTranscript(file);
  return [...new Set(lines.map(({ who }) => who))].map((who) => ({ file, who, lines: lines.filter((line) => line.who === who) }));
};

const persons = ['ride-json.jsonl', 'ride-proto.jsonl', 'otherwise.jsonl'].flatMap(personsOf);

describe.each(persons)('$who in $file', ({ file, who, lines }) => {
  test('says the same, and ends with a right view', async () => {
    const replay = new Replay(lines);
    await replay.play();
    const { client, events } = replay.bench;
    expect(client.pending).toEqual([]);
    expect(await Promise.all(replay.results)).toHaveLength(replay.results.length);
    expect(client.view.activeTrip).toBeUndefined();

    // The last word on each trip that was told in full stands in the view.
    const trips = told(replay.received);
    const last = trips.filter(({ ended_at }) => ended_at).sort((a, b) => a.version - b.version).at(-1);
    if (last && file.startsWith('ride')) expect(client.view.lastEnded).toEqual(last);

    // Nothing is told twice.
    const versions = events.flatMap(({ name, event }) => {
      if (name === 'tripRated') return [event as Trip];
      return name === 'trip' || name === 'tripEnded' ? [(event as { trip: Trip }).trip] : [];
    });
    const keys = versions.map(({ id, version }) => `${id} ${version}`);
    expect(new Set(keys).size).toBe(keys.length);
    for (const name of ['offer', 'offerClosed']) {
      const ids = events.filter((e) => e.name === name).map(({ event }) => (event as Offer).id || (event as { offer_id: string }).offer_id);
      expect(new Set(ids).size).toBe(ids.length);
    }
    // Each offer that the server closed was told as closed.
    const closed = replay.received.flatMap(({ event }): OfferClosed[] => (event?.offer_closed ? [event.offer_closed] : []));
    expect(events.filter(({ name }) => name === 'offerClosed')).toHaveLength(new Set(closed.map((c) => c.offer_id)).size);
    expect({ who, events: events.map(({ name, event }) => summary(name, event)) }).toMatchSnapshot();
    expect(client.state.status).toBe(endOf(who, file));
  });
});

function summary(name: string, event: unknown): string {
  const { change, trip, why, outcome, reason } = event as Record<string, string> & { trip?: Trip };
  return [name, change ?? why ?? outcome ?? '', reason ?? '', trip ? `v${trip.version}` : ''].filter(Boolean).join(' ');
}

function endOf(who: string, file: string): string {
  if (file !== 'otherwise.jsonl') return 'waiting';
  return { Cy: 'replaced', Eve: 'connecting' }[who] ?? 'waiting';
}
