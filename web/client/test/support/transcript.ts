import { readFileSync } from 'node:fs';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { ServerFrameSchema } from '../../src/gen/hexhail_pb.js';
import type { ClientFrame, ServerFrame } from '../../src/index.js';
import { codecs } from '../../src/wire/codec.js';

/** One thing that happened to one person of a transcript. See test/record.mjs. */
export interface Line {
  readonly at: number;
  readonly who: string;
  readonly what: 'opened' | 'sent' | 'received' | 'lost' | 'closed';
  readonly frame?: ClientFrame;
  /** What was received, as text or as protobuf in base64. */
  readonly json?: string;
  readonly proto?: string;
  readonly code?: number;
}

export const transcripts = ['ride-json.jsonl', 'ride-proto.jsonl', 'otherwise.jsonl', 'both.jsonl'];

export function readTranscript(file: string): Line[] {
  const text = readFileSync(new URL(`../transcripts/${file}`, import.meta.url), 'utf8');
  return text.trimEnd().split('\n').map((line) => JSON.parse(line) as Line);
}

/** What a line received. */
export function frameOf({ json, proto }: Line): ServerFrame {
  if (json !== undefined) return codecs.json.decode(json);
  return codecs.proto.decode(Buffer.from(proto ?? '', 'base64'));
}

/** What a line received, as the socket brings it, with another id in a reply. */
export function dataOf({ json, proto }: Line, newId: (id: string) => string): string | ArrayBuffer {
  if (json !== undefined) {
    const frame = JSON.parse(json) as { reply?: { id: string } };
    if (frame.reply) frame.reply.id = newId(frame.reply.id);
    return JSON.stringify(frame);
  }
  const frame = fromBinary(ServerFrameSchema, Buffer.from(proto ?? '', 'base64'));
  if (frame.kind.case === 'reply') frame.kind.value.id = newId(frame.kind.value.id);
  const bytes = toBinary(ServerFrameSchema, create(ServerFrameSchema, frame));
  return bytes.slice().buffer;
}
