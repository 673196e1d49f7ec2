/**
 * As much of Protocol Buffers as the calls to etcd take: fields of bytes and of
 * unsigned integers.
 */

import { MailraftError } from '../../../src/errors.ts';

const VARINT = 0;
const BYTES = 2;

export interface Field {
  readonly number: number;
  readonly value: bigint | Buffer;
}

/** A field of bytes. */
export function bytesField(number: number, value: Uint8Array): Buffer {
  return Buffer.concat([varint((number << 3) | BYTES), varint(value.length), value]);
}

/** A field of a whole number below 2^53. */
export function numberField(number: number, value: number): Buffer {
  return Buffer.concat([varint((number << 3) | VARINT), varint(value)]);
}

/** All fields of a message in their order; throws `DATA_INVALID` for types not used here. */
export function fieldsOf(message: Buffer): readonly Field[] {
  const fields: Field[] = [];
  let at = 0;
  const read = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message.readUInt8(at);
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = Number(read());
    const [number, type] = [tag >> 3, tag & 7];
    const value = read();
    if (type === VARINT) fields.push({ number, value });
    else if (type === BYTES) {
      fields.push({ number, value: message.subarray(at, at + Number(value)) });
      at += Number(value);
    } else throw new MailraftError('DATA_INVALID', `a protobuf field of type ${type}`);
  }
  return fields;
}

export function bytesOf(fields: readonly Field[], number: number): Buffer {
  const value = fields.find((field) => field.number === number)?.value;
  return typeof value === 'object' ? value : Buffer.alloc(0);
}

/** An integer that is 0 where it is left out. */
export function integerOf(fields: readonly Field[], number: number): bigint {
  const value = fields.find((field) => field.number === number)?.value;
  return typeof value === 'bigint' ? value : 0n;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}
