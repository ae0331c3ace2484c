// Records what a real server says: test/transcripts. Run it with `npm run record`, with Go at hand.
//
// It speaks over bare sockets, not with the library, so that the library is tested against the server and not against
// itself. Each line of a transcript is one thing that happened to one person. Tokens are left out.
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import WebSocket from 'ws';
import { codecs } from '../lib/wire/codec.js';
import { signUp, startServer } from './support/server.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const pickup = { lat: 37.4979, lng: 127.0276 };
const dropoff = { lat: 37.5172, lng: 127.0473 };
const near = { lat: 37.4986, lng: 127.0283 };
const moment = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** One person at one socket after another. */
class Person {
  received = [];
  history = undefined;
  #waiting = [];

  constructor(scene, name, token, encoding) {
    Object.assign(this, { scene, name, token, encoding, codec: codecs[encoding] });
  }

  note(what, more) {
    this.scene.lines.push({ at: Date.now() - this.scene.start, who: this.name, what, ...more });
  }

  /** Opens a socket and connects, resuming where the last one ended unless told otherwise. */
  async connect({ resume = this.history, token = this.token, refused = false } = {}) {
    const socket = new WebSocket(`${this.scene.url.replace('http', 'ws')}/v1/ws`, [this.codec.subprotocol]);
    this.socket = socket;
    this.received = [];
    socket.on('message', (data, binary) => this.#take(data, binary));
    this.closed = new Promise((resolve) => socket.on('close', (code) => {
      if (socket !== this.socket) return;
      if (code !== 1006) this.note('closed', { code });
      resolve(code);
    }));
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    this.note('opened');
    const id = this.send('connect', { token, ...(resume && { resume }), client: 'transcript/1' });
    if (!refused) await this.reply(id);
  }

  send(kind, body, id = kind === 'location' ? undefined : randomUUID()) {
    const shown = kind === 'connect' ? { ...body, token: '<token>' } : body;
    this.note('sent', { frame: { ...(id && { id }), [kind]: shown } });
    const data = this.codec.encode({ ...(id && { id }), [kind]: body });
    this.flushed = new Promise((resolve) => this.socket.send(data, resolve));
    return id;
  }

  /** Sends a command or a query, and waits for the reply. */
  async ask(kind, body) {
    return this.reply(this.send(kind, body));
  }

  reply(id) {
    return this.until(({ reply }) => reply?.id === id && reply);
  }

  event(name, test = () => true) {
    return this.until(({ event }) => event?.[name] && test(event[name]) && event[name]);
  }

  change(change) {
    return this.event('trip_updated', (told) => told.change === change);
  }

  /** Waits for a frame that was not waited for before. */
  until(test) {
    for (const [i, frame] of this.received.entries()) {
      const found = test(frame);
      if (found) {
        this.received.splice(i, 1);
        return found;
      }
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${this.name} waits in vain: ${test}`)), 20_000);
      this.#waiting.push({ test, resolve: (found) => (clearTimeout(timer), resolve(found)) });
    });
  }

  /** Loses the socket, as in a tunnel. */
  async lose() {
    this.note('lost');
    const { socket } = this;
    this.socket = undefined;
    socket.terminate();
    await moment(50);
  }

  #take(data, binary) {
    if (!this.socket) return;
    const frame = this.codec.decode(binary ? new Uint8Array(data) : data.toString());
    this.note('received', binary ? { proto: data.toString('base64') } : { json: data.toString() });
    if (frame.reply?.connected && !frame.reply.connected.resumed) {
      this.history = { epoch: frame.reply.connected.epoch, seq: frame.reply.connected.seq };
    }
    const { event } = frame;
    if (event && !event.driver_moved && !event.disconnecting) this.history = { epoch: event.epoch, seq: event.seq };
    for (const [i, { test, resolve }] of this.#waiting.entries()) {
      const found = test(frame);
      if (!found) continue;
      this.#waiting.splice(i, 1);
      resolve(found);
      return;
    }
    this.received.push(frame);
  }
}

const location = (point) => ({ point, heading_deg: 40.25, speed_mps: 8.3, accuracy_m: 6, device_time: new Date().toISOString() });

/** A whole ride, in which both lose their sockets and a reply is lost. */
async function ride(scene, encoding) {
  const ada = await scene.person('rider', 'Ada', encoding);
  const bo = await scene.person('driver', 'Bo', encoding);
  await ada.connect();
  await bo.connect();
  await bo.ask('go_online', { location: location(near) });
  await ada.ask('get_quote', { pickup, dropoff });

  // The reply to the request is lost with the socket; the same id again tells.
  const request = { pickup, dropoff, pickup_address: '강남역 11번 출구', passengers: 2, note: 'Blue "coat"' };
  const id = ada.send('request_trip', request);
  await ada.flushed;
  await ada.lose();
  const { offer } = await bo.event('offer_received');
  await ada.connect();
  ada.send('request_trip', request, id);
  await ada.reply(id);

  const { trip } = await bo.ask('accept_offer', { offer_id: offer.id });
  const { trip: { pin } } = await ada.change('matched');
  for (const lat of [37.4985, 37.4984]) {
    await moment(1_200); // a car that jumps is not believed
    bo.send('location', location({ ...near, lat }));
    await ada.event('driver_moved', ({ point }) => point.lat === lat);
  }
  await bo.ask('arrived', { trip_id: trip.id });
  await ada.change('arrived');
  await ada.lose();
  await bo.ask('start_trip', { trip_id: trip.id, pin: pin === '0000' ? '1111' : '0000' });
  await bo.ask('start_trip', { trip_id: trip.id, pin });
  await bo.change('started');
  await ada.connect();
  await ada.change('started');
  await bo.lose();
  await bo.connect();
  await bo.ask('complete_trip', { trip_id: trip.id });
  await ada.change('completed');
  await ada.ask('rate_trip', { trip_id: trip.id, stars: 5, comment: 'Smooth' });
  await bo.change('rated');
  await bo.lose();
  await ada.ask('ping', {});
  await moment(100);
}

/** What goes otherwise: offers that end, a trip given back, a cancellation, refusals, and closes. */
async function otherwise(scene) {
  const ada = await scene.person('rider', 'Ada', 'json');
  const bo = await scene.person('driver', 'Bo', 'json');
  const cy = await scene.person('driver', 'Cy', 'proto');
  for (const person of [ada, bo, cy]) await person.connect();
  await bo.ask('go_online', { location: location(near) });
  await cy.ask('go_online', {});
  cy.send('location', location({ lat: 37.4999, lng: 127.0301 }));
  await moment(300);

  // Bo lets the offer expire, Cy declines; then Bo takes it, gives it back, and loses the socket over it.
  const { trip } = await ada.ask('request_trip', { pickup, dropoff });
  const { offer: cys } = await cy.event('offer_received');
  await cy.ask('decline_offer', { offer_id: cys.id, reason: 'too far' });
  await cy.event('offer_closed');
  await bo.event('offer_received');
  await bo.event('offer_closed');
  const { offer } = await bo.event('offer_received');
  await bo.ask('accept_offer', { offer_id: offer.id });
  await ada.change('matched');
  await bo.change('matched');
  await bo.ask('cancel_trip', { trip_id: trip.id, reason: 'flat tyre' });
  await ada.change('released');
  await bo.lose();
  await bo.connect();
  await ada.ask('cancel_trip', { trip_id: trip.id, reason: 'changed my mind' });
  await ada.change('cancelled');
  await ada.ask('cancel_trip', { trip_id: trip.id });
  await ada.ask('request_trip', { pickup, dropoff: pickup });

  // Both are offered the next one; Cy is faster, while Bo has no socket.
  await ada.ask('request_trip', { pickup, dropoff });
  const { offer: raced } = await cy.event('offer_received');
  await bo.event('offer_received');
  await bo.lose();
  const { trip: won } = await cy.ask('accept_offer', { offer_id: raced.id });
  await cy.change('matched');
  await bo.connect();
  await bo.event('offer_closed');
  // Ada's history is lost, and so is her trip while she is away.
  await ada.lose();
  await cy.ask('arrived', { trip_id: won.id });
  await cy.change('arrived');
  await ada.connect({ resume: { epoch: 'another', seq: 7 } });
  await ada.ask('cancel_trip', { trip_id: won.id });
  await cy.change('cancelled');

  // Cy connects elsewhere; a made-up token; the server goes away.
  const elsewhere = await scene.again(cy, 'Cy elsewhere');
  await elsewhere.connect();
  await cy.closed;
  const eve = await scene.person('rider', 'Eve', 'json');
  await eve.connect({ token: 'made up', refused: true });
  await eve.closed;
  await scene.stop();
  await Promise.all([ada.closed, bo.closed, elsewhere.closed]);
}

/** The same history in both encodings: what the server itself says to be the same. */
async function both(scene) {
  const ada = await scene.person('rider', 'Ada', 'json');
  const bo = await scene.person('driver', 'Bo', 'json');
  await ada.connect();
  await bo.connect();
  await bo.ask('go_online', { location: location(near) });
  const { trip } = await ada.ask('request_trip', { pickup, dropoff, pickup_address: '강남역' });
  const { offer } = await bo.event('offer_received');
  await bo.ask('accept_offer', { offer_id: offer.id });
  const { trip: { pin } } = await ada.change('matched');
  await bo.ask('arrived', { trip_id: trip.id });
  await bo.ask('start_trip', { trip_id: trip.id, pin });
  await bo.ask('complete_trip', { trip_id: trip.id });
  await ada.change('completed');
  for (const person of [ada, bo]) {
    const resume = { epoch: person.history.epoch, seq: 0 };
    for (const encoding of ['json', 'proto']) {
      await person.lose();
      Object.assign(person, { encoding, codec: codecs[encoding] });
      await person.connect({ resume });
      await moment(200);
    }
  }
}

async function scene(binary, file, play) {
  const server = await startServer(binary, ['--dispatch-policy=broadcast', '--dispatch-offer-ttl=3s', '--dispatch-wave-every=1s', '--shutdown-grace=2s']);
  let stopped;
  const self = {
    url: server.url,
    start: Date.now(),
    lines: [],
    stop: () => (stopped ??= server.stop()),
    person: async (role, name, encoding) => new Person(self, name, await signUp(server.url, role, name), encoding),
    again: async (person, name) => new Person(self, name, person.token, person.encoding),
  };
  try {
    await play(self);
  } finally {
    await self.stop();
  }
  writeFileSync(join(here, 'transcripts', file), self.lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  console.log(file, self.lines.length, 'lines');
}

let binary = process.env.HEXHAIL_BINARY;
if (!binary) {
  binary = join(mkdtempSync(join(tmpdir(), 'hexhail-record-')), 'hexhail');
  execFileSync('go', ['build', '-o', binary, './cmd/hexhail'], { cwd: join(here, '../../..'), stdio: 'inherit' });
}
await scene(binary, 'ride-json.jsonl', (s) => ride(s, 'json'));
await scene(binary, 'ride-proto.jsonl', (s) => ride(s, 'proto'));
await scene(binary, 'otherwise.jsonl', otherwise);
await scene(binary, 'both.jsonl', both);
