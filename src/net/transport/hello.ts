/**
 * The first frame in each direction: who speaks, to whom, and about which cluster.
 */

import type { Static, TSchema } from '@sinclair/typebox';
import { Type } from '@sinclair/typebox';
import { Ajv, type ValidateFunction } from 'ajv';
import { MailraftError } from '../../errors.ts';
import { decode, encode } from '../../platform/msgpack.ts';

/** Version of everything that peers say to each other. */
export const PROTOCOL = 2;

/** `control` must never wait behind data, and `log` never behind bulk transfers. */
export const CHANNELS = ['control', 'log', 'bulk'] as const;
export type Channel = (typeof CHANNELS)[number];

const NAME_BYTES_MAX = 256;
const name = Type.String({ minLength: 1, maxLength: NAME_BYTES_MAX });
const natural = Type.Integer({ minimum: 0 });

export const HelloSchema = Type.Object({
  protocol: Type.Integer(),
  /** The cluster's name in the configuration. */
  cluster: name,
  /** Made when the cluster was founded; empty before. */
  clusterId: Type.String({ maxLength: NAME_BYTES_MAX }),
  from: name,
  /** Of the sender's data directory. */
  incarnation: name,
  to: name,
  /** Term of the sender's storage, its vote in it, and how much of its log is committed. */
  term: natural,
  vote: Type.String({ maxLength: NAME_BYTES_MAX }),
  commit: natural,
  /** Nothing of the sender's storage was known to be lost when it started. */
  isWhole: Type.Boolean(),
  channel: Type.Union(CHANNELS.map((channel) => Type.Literal(channel))),
});
export type Hello = Static<typeof HelloSchema>;

export const WelcomeSchema = Type.Object({
  /** Empty when the connection is accepted. */
  refusal: Type.String({ maxLength: 1024 }),
  /** The refused one's storage is an older state of itself, which it can not know. */
  isRolledBack: Type.Boolean(),
  from: name,
  incarnation: name,
  clusterId: Type.String({ maxLength: NAME_BYTES_MAX }),
});
export type Welcome = Static<typeof WelcomeSchema>;

/** Why a peer is not listened to; an empty reason welcomes it. */
export type Refusal = Pick<Welcome, 'isRolledBack'> & { readonly reason: string };

export const WELCOMED: Refusal = { reason: '', isRolledBack: false };

const ajv = new Ajv();
const isHello: ValidateFunction<Hello> = ajv.compile<Hello>(HelloSchema as TSchema);
const isWelcome: ValidateFunction<Welcome> = ajv.compile<Welcome>(WelcomeSchema as TSchema);

export const encodeHello: (hello: Hello) => Buffer = encode;
export const encodeWelcome: (welcome: Welcome) => Buffer = encode;

/** Throws `DATA_INVALID` when the bytes are no hello. */
export function decodeHello(bytes: Uint8Array): Hello {
  const value = decode(bytes);
  if (isHello(value)) return value;
  throw new MailraftError('DATA_INVALID', `no hello: ${ajv.errorsText(isHello.errors)}`);
}

/** Throws `DATA_INVALID` when the bytes are no welcome. */
export function decodeWelcome(bytes: Uint8Array): Welcome {
  const value = decode(bytes);
  if (isWelcome(value)) return value;
  throw new MailraftError('DATA_INVALID', `no welcome: ${ajv.errorsText(isWelcome.errors)}`);
}
