#!/usr/bin/env node
// A protoc plugin that writes src/gen/messages.ts: the messages of hexhail.proto as TypeScript types in the
// form that docs/protocol.md gives them in JSON. Names are snake case, enums are words, a point has lat and lng
// in degrees, a time is a string. The HTTP API speaks the same form, so both give an app the same Trip.
import { createEcmaScriptPlugin, getComments, runNodeJs } from '@bufbuild/protoplugin';
import { ScalarType } from '@bufbuild/protobuf';

// Names that would hide globals of the language or of the browser.
const renamed = { Error: 'ErrorReply', Event: 'ServerEvent', Location: 'LocationReport' };

// Messages and times that the server always sends where their message is sent. Others may be absent.
const alwaysSet = new Set([
  'AcceptPending.award_at', 'Connected.server_time', 'DriverMoved.point', 'Estimate.fare', 'FareBreakdown.total',
  'Offer.expires_at', 'Offer.fare', 'Offer.pickup_area', 'OfferReceived.offer', 'Pong.server_time', 'Quote.fare',
  'RouteChanged.route', 'Search.expires_at', 'TripUpdated.trip',
]);

const nameOf = (desc) =>
  desc.parent ? nameOf(desc.parent) + desc.name : (renamed[desc.name] ?? desc.name);

const isTime = (message) => message.typeName === 'google.protobuf.Timestamp';
const isPoint = (message) => message.typeName === 'hexhail.v1.Point';

function typeOf(field) {
  const single = () => {
    if (field.message) return isTime(field.message) ? 'Timestamp' : nameOf(field.message);
    if (field.enum) return nameOf(field.enum);
    if (field.scalar === ScalarType.STRING) return 'string';
    if (field.scalar === ScalarType.BOOL) return 'boolean';
    if ([ScalarType.INT64, ScalarType.UINT64, ScalarType.SINT64, ScalarType.BYTES].includes(field.scalar))
      throw new Error(`${field}: the protocol's JSON has no form for this type`);
    return 'number';
  };
  return field.fieldKind === 'list' ? `readonly ${single()}[]` : single();
}

// Messages that only clients send may leave out every field that has its zero value.
function sentByServer(file) {
  const seen = new Set();
  const visit = (message) => {
    if (seen.has(message)) return;
    seen.add(message);
    for (const field of message.fields) if (field.message) visit(field.message);
  };
  visit(file.messages.find((m) => m.name === 'ServerFrame'));
  return seen;
}

function docOf(desc) {
  const { leading, trailing } = getComments(desc);
  return (leading ?? trailing ?? '').trim().split('\n').map((line) => line.trim()).join('\n');
}

function printDoc(f, desc, indent = '') {
  const doc = docOf(desc);
  if (!doc) return;
  const lines = doc.split('\n');
  if (lines.length === 1) f.print(`${indent}/** ${lines[0]} */`);
  else f.print([`${indent}/**`, ...lines.map((line) => `${indent} * ${line}`.trimEnd()), `${indent} */`].join('\n'));
}

function printEnum(f, desc) {
  printDoc(f, desc);
  f.print(`export type ${nameOf(desc)} =`);
  desc.values.forEach((value, i) => {
    printDoc(f, value, '  ');
    f.print(`  | '${value.name}'${i === desc.values.length - 1 ? ';' : ''}`);
  });
  f.print('');
}

function printOneof(f, message, oneof) {
  f.print(`/** What a ${nameOf(message)} carries: exactly one of these, under its name. */`);
  f.print(`export interface ${nameOf(message)}${oneof.name[0].toUpperCase()}${oneof.name.slice(1)} {`);
  for (const field of oneof.fields) f.print(`  readonly ${field.name}: ${typeOf(field)};`);
  f.print('}\n');
}

function printMessage(f, message, output) {
  for (const nested of message.nestedEnums) printEnum(f, nested);
  for (const nested of message.nestedMessages) printMessage(f, nested, output);
  if (isPoint(message)) {
    f.print('/** A WGS84 position in degrees. Up to 7 decimals count. */');
    f.print('export interface Point {\n  readonly lat: number;\n  readonly lng: number;\n}\n');
    return;
  }
  for (const oneof of message.oneofs) printOneof(f, message, oneof);
  printDoc(f, message);
  if (message.fields.length === 0) {
    f.print(`export type ${nameOf(message)} = Readonly<Record<never, never>>;\n`);
    return;
  }
  f.print(`export interface ${nameOf(message)} {`);
  for (const field of message.fields) {
    printDoc(f, field, '  ');
    const optional = !output.has(message) ||
      (field.message && field.fieldKind !== 'list' && !alwaysSet.has(`${message.name}.${field.name}`));
    f.print(`  readonly ${field.name}${optional ? '?' : ''}: ${typeOf(field)};`);
  }
  f.print('}\n');
}

runNodeJs(
  createEcmaScriptPlugin({
    name: 'protoc-gen-messages',
    version: 'v1',
    generateTs(schema) {
      const [file] = schema.files;
      const output = sentByServer(file);
      const f = schema.generateFile('messages.ts');
      f.print('// Made by scripts/protoc-gen-messages.mjs from hexhail.proto. Do not edit.\n');
      f.print("/** A time as RFC 3339 has it, in UTC: `2026-11-22T15:24:57.023474Z`. `Date.parse` reads it. */");
      f.print('export type Timestamp = string;\n');
      f.print('/** Messages and times that the server never leaves out; should one be absent all the same, it reads as its zero. */');
      f.print(`export const alwaysSet: ReadonlySet<string> = new Set([\n${[...alwaysSet].map((n) => `  '${n}',`).join('\n')}\n]);\n`);
      for (const desc of file.enums) printEnum(f, desc);
      for (const message of file.messages) printMessage(f, message, output);
    },
  }),
);
