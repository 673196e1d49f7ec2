/**
 * MessagePack as all of mailraft speaks it: plain maps, binary as Buffer, and
 * the same code path on every machine.
 *
 * msgpackr's native helper is turned off before it loads: it is optional, not
 * built everywhere, and no faster for values as small as ours.
 */

import './msgpack-pure.ts';
import { Packr } from 'msgpackr';
import { MailraftError } from '../errors.ts';

const packr = new Packr({ useRecords: false, mapsAsObjects: true, int64AsType: 'number' });

export function encode(value: unknown): Buffer {
  return packr.pack(value);
}

/** Throws `DATA_INVALID` when the bytes are not one MessagePack value. */
export function decode(bytes: Uint8Array): unknown {
  try {
    return packr.unpack(bytes);
  } catch (cause) {
    throw new MailraftError('DATA_INVALID', 'the bytes are no MessagePack value', { cause });
  }
}
