import { create, ScalarType, type DescField, type DescMessage, type Message } from '@bufbuild/protobuf';
import { alwaysSet } from '../gen/messages.js';
import { degrees, scaledDegrees, shortest, timeOf, timeText, type ProtoTime } from './values.js';

// "Plain" is the form of src/gen/messages.ts, which is the JSON of docs/protocol.md with every zero filled in. It is
// worked out from the descriptors, so a new message needs no line here.

type Fields = Record<string, unknown>;

const isTime = (desc: DescMessage) => desc.typeName === 'google.protobuf.Timestamp';
const isPoint = (desc: DescMessage) => desc.typeName === 'hexhail.v1.Point';

/** Data that do not have the form of a message. `path` says where. */
export class FormError extends Error {
  override readonly name = 'FormError';
  readonly path: string;

  constructor(path: string, what: string) {
    super(path ? `${path}: ${what}` : what);
    this.path = path;
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Turns a protobuf message into its plain form. */
export function toPlain(desc: DescMessage, message: Message): unknown {
  const from = message as unknown as Fields;
  if (isTime(desc)) return timeText(message as unknown as ProtoTime);
  if (isPoint(desc)) return { lat: degrees(from.latE7 as number), lng: degrees(from.lngE7 as number) };
  return fill(desc, (field) => {
    const value = read(from, field);
    if (value === undefined) return undefined;
    if (field.fieldKind === 'list') return (value as unknown[]).map((item) => plainValue(field, item));
    return plainValue(field, value);
  });
}

function read(from: Fields, field: DescField): unknown {
  if (!field.oneof) return from[field.localName];
  const chosen = from[field.oneof.localName] as { case?: string; value?: unknown };
  return chosen.case === field.localName ? chosen.value : undefined;
}

function plainValue(field: DescField, value: unknown): unknown {
  if (field.message) return toPlain(field.message, value as Message);
  // A word of a newer server reads as the zero word, in both forms.
  if (field.enum) return (field.enum.value[value as number] ?? field.enum.values[0])?.name;
  return field.scalar === ScalarType.FLOAT ? shortest(value as number) : value;
}

/** Completes JSON that the server sent: unknown names go, zeros and the first words of enums come. */
export function complete(desc: DescMessage, json: unknown, path = ''): unknown {
  if (isTime(desc)) return typeOf('string', json, path);
  if (!isObject(json)) throw new FormError(path, 'not an object');
  if (isPoint(desc)) return { lat: typeOf('number', json.lat, path), lng: typeOf('number', json.lng, path) };
  return fill(desc, (field) => {
    const value = json[field.name];
    if (value === undefined || value === null) return undefined;
    const at = path ? `${path}.${field.name}` : field.name;
    if (field.fieldKind !== 'list') return completeValue(field, value, at);
    if (!Array.isArray(value)) throw new FormError(at, 'not a list');
    return value.map((item, i) => completeValue(field, item, `${at}[${i}]`));
  });
}

function completeValue(field: DescField, value: unknown, path: string): unknown {
  if (field.message) return complete(field.message, value, path);
  if (!field.enum) return typeOf(typeof zero(field), value, path);
  typeOf('string', value, path);
  return field.enum.values.some(({ name }) => name === value) ? value : zero(field);
}

function typeOf(type: string, value: unknown, path: string): unknown {
  if (typeof value !== type || (type === 'number' && !Number.isFinite(value))) throw new FormError(path, `not a ${type}`);
  return value;
}

/** Makes a plain message of what `value` gives, and of zeros where it gives nothing. */
function fill(desc: DescMessage, value: (field: DescField) => unknown): Fields {
  const plain: Fields = {};
  for (const field of desc.fields) {
    const given = value(field) ?? zero(field);
    if (given !== undefined) plain[field.name] = given;
  }
  return plain;
}

function zero(field: DescField): unknown {
  if (field.fieldKind === 'list') return [];
  if (field.message) {
    if (!alwaysSet.has(`${field.parent.name}.${field.name}`)) return undefined;
    return toPlain(field.message, create(field.message));
  }
  if (field.enum) return field.enum.values[0]?.name;
  if (field.scalar === ScalarType.STRING) return '';
  return field.scalar === ScalarType.BOOL ? false : 0;
}

/** Makes a protobuf message of a plain one. Zeros may be left out; unknown names and words are a `FormError`. */
export function toMessage(desc: DescMessage, plain: unknown, path = ''): Message {
  if (isTime(desc)) return create(desc, parseTime(plain, path) as never);
  if (!isObject(plain)) throw new FormError(path, 'not an object');
  if (isPoint(desc)) return create(desc, { latE7: scaled(plain.lat, path), lngE7: scaled(plain.lng, path) });
  const init: Fields = {};
  for (const [name, value] of Object.entries(plain)) {
    const at = path ? `${path}.${name}` : name;
    const field = desc.fields.find((candidate) => candidate.name === name);
    if (!field) throw new FormError(at, 'unknown name');
    if (value === undefined) continue;
    const made =
      field.fieldKind === 'list'
        ? (value as unknown[]).map((item, i) => messageValue(field, item, `${at}[${i}]`))
        : messageValue(field, value, at);
    if (field.oneof) init[field.oneof.localName] = { case: field.localName, value: made };
    else init[field.localName] = made;
  }
  return create(desc, init as never);
}

function messageValue(field: DescField, value: unknown, path: string): unknown {
  if (field.message) return toMessage(field.message, value, path);
  if (!field.enum) return typeOf(typeof zero(field), value, path);
  const word = field.enum.values.find(({ name }) => name === value);
  if (!word) throw new FormError(path, 'unknown word');
  return word.number;
}

function parseTime(value: unknown, path: string): ProtoTime {
  try {
    return timeOf(typeOf('string', value, path) as string);
  } catch (error) {
    throw error instanceof FormError ? error : new FormError(path, 'no RFC 3339 time');
  }
}

function scaled(value: unknown, path: string): number {
  return scaledDegrees(typeOf('number', value, path) as number);
}
