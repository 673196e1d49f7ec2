/**
 * The parts that the configuration's schema is built of.
 *
 * Beside JSON Schema each part says in words what is accepted (`accepted`), and
 * names what a later version will accept (`later`): that is refused, but it is
 * neither unknown nor ignored.
 */

import {
  type Static,
  type TArray,
  type TBoolean,
  type TInteger,
  type TObject,
  type TProperties,
  type TSchema,
  type TString,
  type TUnsafe,
  Type,
} from '@sinclair/typebox';
import { ENDPOINT_PATTERN, SUBNET_PATTERN } from './endpoint.ts';
import { DURATION_PATTERN, formatDuration, formatSize, SIZE_PATTERN } from './units.ts';

/** Least and most of a quantity, in its base unit, both included. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Words beside JSON Schema that the validator has to know. */
export const ANNOTATIONS: readonly string[] = ['accepted', 'later'];

/** A part that may be left out; the validator then puts `value` in its place. */
export function withDefault<T extends TSchema>(part: T, value: unknown): T {
  // Optional to who writes it, always there for who reads it: the type is the reader's.
  return Type.Optional({ ...part, default: value }) as unknown as T;
}

export function mapping<T extends TProperties>(description: string, properties: T): TObject<T> {
  const accepted = `a mapping with the keys ${acceptedKeys(properties).join(', ')}`;
  return Type.Object(properties, { additionalProperties: false, description, accepted });
}

/** Names of the properties that this version honours. */
export function acceptedKeys(properties: Readonly<Record<string, TSchema>>): string[] {
  return Object.keys(properties).filter((name) => properties[name]?.['not'] === undefined);
}

/** A key of a later version. */
export function laterKey(description: string): TUnsafe<undefined> {
  const accepted = 'nothing here; leave it out';
  return Type.Optional(
    Type.Unsafe<undefined>({ not: {}, description, accepted }),
  ) as unknown as TUnsafe<undefined>;
}

/** One of several words; `later` are those of later versions. */
export function choice<const T extends string | boolean>(
  description: string,
  values: readonly T[],
  later: readonly string[] = [],
): TUnsafe<T> {
  const words = later.length === 0 ? {} : { later: [...later] };
  return Type.Unsafe<T>({ enum: [...values], ...words, description, accepted: or(values) });
}

/** One word in one branch of a `variants`. */
export function tag<const T extends string>(value: T): TUnsafe<T> {
  return Type.Unsafe<T>({ const: value, description: `\`${value}\`.`, accepted: value });
}

/** Mappings that differ by the value of their key `name`. */
export function variants<T extends TObject>(
  description: string,
  name: string,
  parts: { readonly branches: readonly T[]; readonly later: readonly string[] },
): TUnsafe<Static<T>> {
  const values = parts.branches.map(({ properties }) => String(properties[name]?.['const']));
  return Type.Unsafe<Static<T>>({
    type: 'object',
    required: [name],
    discriminator: { propertyName: name },
    oneOf: [...parts.branches],
    later: [...parts.later],
    description,
    accepted: `a mapping whose ${name} is ${or(values)}`,
  });
}

/** A word, or a mapping. */
export function wordOr<W extends TSchema, M extends TObject>(
  description: string,
  word: W,
  map: M,
): TUnsafe<Static<W> | Static<M>> {
  const accepted = `${String(word['accepted'])}, or ${String(map['accepted'])}`;
  return Type.Unsafe<Static<W> | Static<M>>({
    if: { type: 'object' },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: map,
    else: { ...word, accepted },
    description,
    accepted,
  });
}

export function list<T extends TSchema>(
  description: string,
  items: T,
  { min, max }: Range,
): TArray<T> {
  const accepted = `a list of ${min} to ${max}`;
  return Type.Array(items, { minItems: min, maxItems: max, description, accepted });
}

export function flag(description: string): TBoolean {
  return Type.Boolean({ description, accepted: 'true or false' });
}

export function count(description: string, { min, max }: Range): TInteger {
  const accepted = `a whole number from ${min} to ${max}`;
  return Type.Integer({ minimum: min, maximum: max, description, accepted });
}

export function text(
  description: string,
  { pattern, accepted, max }: { pattern: string; accepted: string; max: number },
): TString {
  return Type.String({ minLength: 1, maxLength: max, pattern, description, accepted });
}

/** Of a file or folder; a relative one starts at the folder of the configuration file. */
export function path(description: string): TString {
  const accepted = 'a path, relative to the folder of this file or absolute';
  return text(description, { pattern: '^[^\\u0000]+$', accepted, max: 4096 });
}

/** Host names and addresses with a port; `isWildcardAllowed` for places to listen at. */
export function endpoint(description: string, isWildcardAllowed = false): TString {
  const accepted = isWildcardAllowed
    ? 'HOST:PORT or [IPV6]:PORT, with a port from 1 to 65535'
    : 'HOST:PORT or [IPV6]:PORT of one machine, with a port from 1 to 65535';
  const pattern = ENDPOINT_PATTERN;
  return Type.String({ pattern, endpoint: { isWildcardAllowed }, description, accepted });
}

export function subnet(description: string): TString {
  const accepted = 'an IPv4 address with the prefix of its subnet, such as 10.77.0.100/24';
  return Type.String({ pattern: SUBNET_PATTERN, subnet: true, description, accepted });
}

export function duration(description: string, range: Range): TString {
  const [min, max] = [formatDuration(range.min), formatDuration(range.max)];
  const accepted = `a duration from ${min} to ${max} with its unit (ms, s, m or h)`;
  return Type.String({ pattern: DURATION_PATTERN, duration: range, description, accepted });
}

export function size(description: string, range: Range): TString {
  const [min, max] = [formatSize(range.min), formatSize(range.max)];
  const accepted = `a size from ${min} to ${max} with its unit (KiB, MiB, GiB or TiB)`;
  return Type.String({ pattern: SIZE_PATTERN, size: range, description, accepted });
}

function or(values: readonly (string | boolean)[]): string {
  const words = values.map(String);
  const last = words.pop() ?? '';
  return words.length === 0 ? last : `${words.join(', ')} or ${last}`;
}
