/** A google.protobuf.Timestamp. */
export interface ProtoTime {
  readonly seconds: bigint;
  readonly nanos: number;
}

/** Writes RFC 3339 in UTC with 0, 3, 6 or 9 digits of seconds, as the server does. */
export function timeText({ seconds, nanos }: ProtoTime): string {
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, -'.000Z'.length);
  if (nanos === 0) return `${whole}Z`;
  const digits = String(nanos).padStart(9, '0');
  const kept = nanos % 1_000_000 === 0 ? 3 : nanos % 1_000 === 0 ? 6 : 9;
  return `${whole}.${digits.slice(0, kept)}Z`;
}

const time = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/;

/** Reads RFC 3339 with up to 9 digits of seconds, which Date would cut to 3. */
export function timeOf(text: string): ProtoTime {
  const parts = time.exec(text);
  const ms = parts ? Date.parse(`${parts[1] ?? ''}${parts[3] ?? ''}`) : NaN;
  if (!parts || Number.isNaN(ms)) throw new TypeError(`${text} is no RFC 3339 time`);
  return { seconds: BigInt(ms / 1000), nanos: Number((parts[2] ?? '').padEnd(9, '0')) };
}

const e7 = 1e7;

/** Degrees of scaled degrees: the number that JSON's shortest decimal reads as, too. */
export const degrees = (scaled: number) => scaled / e7;

/** Scaled degrees, rounded half away from zero as the server rounds. */
export const scaledDegrees = (value: number) => Math.sign(value) * Math.round(Math.abs(value) * e7) + 0;

/** The shortest decimal number that is the same in 32 bits: 0.1, not 0.10000000149011612. */
export function shortest(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return candidate;
  }
  return value;
}
