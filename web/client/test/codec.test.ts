import { fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ClientFrameSchema, ServerFrameSchema } from '../src/gen/hexhail_pb.js';
import type { ClientFrame, ServerEvent } from '../src/index.js';
import { codecs } from '../src/wire/codec.js';
import { FormError, toMessage, toPlain } from '../src/wire/plain.js';
import { degrees, scaledDegrees, shortest, timeOf, timeText } from '../src/wire/values.js';
import { withoutZeros } from './support/fakes.js';
import { frameOf, readTranscript, transcripts } from './support/transcript.js';

describe('what a server said', () => {
  const received = transcripts.flatMap(readTranscript).filter(({ what }) => what === 'received');

  test('reads the same in either encoding', () => {
    expect(received.length).toBeGreaterThan(100);
    for (const line of received) {
      const frame = frameOf(line);
      const bytes = toBinary(ServerFrameSchema, toMessage(ServerFrameSchema, frame) as never);
      expect(codecs.proto.decode(bytes)).toEqual(frame);
      expect(codecs.json.decode(JSON.stringify(frame))).toEqual(frame);
      // In JSON the server leaves out nothing that this library fills in.
      if (line.json) expect(frame).toEqual(JSON.parse(line.json));
    }
  });

  test('is the same history in both encodings, as the server wrote it', () => {
    const lines = readTranscript('both.jsonl');
    for (const who of ['Ada', 'Bo']) {
      // The last two sessions of each replay everything, first in JSON and then in protobuf.
      const own = lines.filter((line) => line.who === who);
      const opened = own.flatMap(({ what }, i) => (what === 'opened' ? [i] : []));
      const [first = 0, second = 0] = opened.slice(-2);
      const events = (from: number, to: number): ServerEvent[] =>
        own.slice(from, to).flatMap((line) => {
          const { event } = line.what === 'received' ? frameOf(line) : {};
          return event && !event.disconnecting ? [event] : [];
        });
      const inJSON = events(first, second);
      expect(own[first + 2]?.json).toBeDefined();
      expect(own[second + 2]?.proto).toBeDefined();
      expect(inJSON.length).toBeGreaterThan(4);
      expect(events(second, own.length)).toEqual(inJSON);
    }
  });
});

describe('what a client says', () => {
  const sent = transcripts.flatMap(readTranscript).flatMap(({ frame }) => (frame ? [frame] : []));

  test('is the same in either encoding', () => {
    expect(sent.length).toBeGreaterThan(50);
    for (const frame of sent) {
      const bytes = codecs.proto.encode(frame) as Uint8Array;
      expect(withoutZeros(toPlain(ClientFrameSchema, fromBinary(ClientFrameSchema, bytes)))).toEqual(withoutZeros(frame));
      expect(JSON.parse(codecs.json.encode(frame) as string)).toEqual(frame);
    }
  });

  test.each([
    [{ id: '1', request_trip: { pickUp: { lat: 1, lng: 2 } } }, 'request_trip.pickUp'],
    [{ id: '1', request_trip: { pickup: { lat: 1, lng: NaN } } }, 'request_trip.pickup'],
    [{ id: '1', request_trip: { pickup: 'here' } }, 'request_trip.pickup'],
    [{ id: '1', rate_trip: { stars: '5' } }, 'rate_trip.stars'],
    [{ location: { device_time: 'noon' } }, 'location.device_time'],
  ])('is refused before it is sent when it has a wrong form: %j', (frame, path) => {
    for (const codec of Object.values(codecs)) {
      const encode = () => codec.encode(frame as ClientFrame);
      expect(encode).toThrow(FormError);
      expect(encode).toThrow(path);
    }
  });
});

describe('messages of a newer server', () => {
  test('lose what is not known, and keep the rest', () => {
    const text = JSON.stringify({
      event: { epoch: 'e', seq: 3, weather_changed: { rain: true }, trip_updated: null },
    });
    expect(codecs.json.decode(text)).toEqual({ event: { epoch: 'e', seq: 3 } });
    const role = { reply: { id: '1', connected: { role: 'auditor', server_time: '2026-01-01T00:00:00Z' } } };
    expect(codecs.json.decode(JSON.stringify(role)).reply?.connected?.role).toBe('role_unspecified');
    // A reply with connected {role: 9}, in protobuf:
    const bytes = Uint8Array.of(0x0a, 0x04, 0x1a, 0x02, 0x30, 0x09);
    expect(codecs.proto.decode(bytes).reply?.connected?.role).toBe('role_unspecified');
  });

  test.each(['', '[]', '{"reply":7}', '{"reply":{"id":7}}', '{"event":{"offer_closed":{"reason":[]}}}'])('are no frames: %s', (text) => {
    expect(() => codecs.json.decode(text)).toThrow();
  });

  test('of the other encoding are no frames', () => {
    expect(() => codecs.json.decode(new ArrayBuffer(0))).toThrow(FormError);
    expect(() => codecs.proto.decode('{}')).toThrow(FormError);
  });
});

describe('values', () => {
  test('degrees are exact to 7 decimals', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1_800_000_000, max: 1_800_000_000 }), (scaled) => {
        expect(scaledDegrees(degrees(scaled))).toBe(scaled);
        expect(String(degrees(scaled)).length).toBeLessThanOrEqual('-180.0000000'.length);
      }),
    );
    expect(scaledDegrees(-0.00000005)).toBe(-1); // away from zero, as the server rounds
  });

  test('times keep their nanoseconds', () => {
    for (const text of ['2026-11-22T15:24:57Z', '2026-11-22T15:24:57.023Z', '2026-11-22T15:24:57.023474Z', '1969-12-31T23:59:59.000000001Z']) {
      expect(timeText(timeOf(text))).toBe(text);
    }
    expect(timeText(timeOf('2026-11-22T15:24:57.5+09:00'))).toBe('2026-11-22T06:24:57.500Z');
    expect(() => timeOf('2026-13-01T00:00:00Z')).toThrow(TypeError);
  });

  test('numbers of 32 bits have as few digits as can tell them', () => {
    expect(shortest(Math.fround(8.3))).toBe(8.3);
    fc.assert(fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (x) => Math.fround(shortest(x)) === x));
  });
});
