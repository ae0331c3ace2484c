import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { ClientFrameSchema, ServerFrameSchema } from '../gen/hexhail_pb.js';
import type { ClientFrame, ServerFrame } from '../gen/messages.js';
import { complete, FormError, toMessage, toPlain } from './plain.js';

/** One of the two forms in which frames travel. */
export interface Codec {
  readonly subprotocol: string;
  /** Throws a `FormError` for a message that is not a valid frame, before it is sent. */
  encode(frame: ClientFrame): string | Uint8Array<ArrayBuffer>;
  /** Reads a message of the server. Throws when it is none. */
  decode(data: unknown): ServerFrame;
}

const json: Codec = {
  subprotocol: 'hexhail.v1.json',
  encode(frame) {
    toMessage(ClientFrameSchema, frame); // names and types, as strictly as in the other form
    return JSON.stringify(frame);
  },
  decode(data) {
    if (typeof data !== 'string') throw new FormError('', 'not a text message');
    return complete(ServerFrameSchema, JSON.parse(data)) as ServerFrame;
  },
};

const proto: Codec = {
  subprotocol: 'hexhail.v1.proto',
  encode(frame) {
    try {
      return toBinary(ClientFrameSchema, toMessage(ClientFrameSchema, frame) as never);
    } catch (error) {
      throw error instanceof FormError ? error : new FormError('', String(error));
    }
  },
  decode(data) {
    const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : data;
    if (!(bytes instanceof Uint8Array)) throw new FormError('', 'not a binary message');
    return toPlain(ServerFrameSchema, fromBinary(ServerFrameSchema, bytes)) as ServerFrame;
  },
};

export const codecs = { json, proto } as const;
