/**
 * Commands as the data of journal entries: a tag byte, then one MessagePack value.
 *
 * Changes are lists of fields in a fixed order, the kind first: a change of a small
 * file costs its bytes, its name and some forty bytes more.
 */

import { Type } from '@sinclair/typebox';
import { Ajv } from 'ajv';
import { assert, MailraftError } from '../../errors.ts';
import { decode, encode } from '../../platform/msgpack.ts';
import type { Change, ChunkRef, Meta } from './change.ts';
import type { Decree } from './decree.ts';

/** First byte of a batch of changes. */
export const CHANGES_TAG = 1;
/** First byte of a decree; recovery tells the journal's decrees by it. */
export const DECREE_TAG = 2;

/** Largest command: an entry must fit into a frame with room to spare. */
export const COMMAND_BYTES_MAX: number = 1024 * 1024;

const HASH_BYTES = 32;
const NAME_BYTES_MAX = 255;

export type Command =
  | { readonly kind: 'changes'; readonly changes: readonly Change[] }
  | { readonly kind: 'decree'; readonly decree: Decree };

type Fields = readonly unknown[];

export function encodeChanges(changes: readonly Change[]): Buffer {
  const bytes = tagged(CHANGES_TAG, changes.map(fieldsOf));
  assert(bytes.length <= COMMAND_BYTES_MAX, `a batch of ${bytes.length} bytes`);
  return bytes;
}

export function encodeDecree(decree: Decree): Buffer {
  return tagged(DECREE_TAG, decree);
}

function tagged(tag: number, value: unknown): Buffer {
  const body = encode(value);
  const bytes = Buffer.allocUnsafe(1 + body.length);
  bytes[0] = tag;
  body.copy(bytes, 1);
  return bytes;
}

/** Throws `DATA_INVALID` when the bytes are no command that this version knows. */
export function decodeCommand(data: Uint8Array): Command {
  const value = decode(data.subarray(1));
  switch (data[0]) {
    case CHANGES_TAG:
      if (!Array.isArray(value)) throw invalid('a batch of changes is no list');
      return { kind: 'changes', changes: value.map(changeOf) };
    case DECREE_TAG:
      return { kind: 'decree', decree: decreeOf(value) };
    default:
      throw invalid(`a command of kind ${data[0]}`);
  }
}

function metaFields({ mode, uid, gid, mtimeSeconds, mtimeNanoseconds }: Meta): Fields {
  return [mode, uid, gid, mtimeSeconds, mtimeNanoseconds];
}

function chunkFields(chunks: readonly ChunkRef[]): Fields {
  return chunks.flatMap(({ hash, bytes }) => [hash, bytes]);
}

function fieldsOf(change: Change): Fields {
  switch (change.kind) {
    case 'put': {
      const { volume, id, parent, name, meta, chunks, data, fuzzy } = change;
      const content = data ?? null;
      return ['p', volume, id, parent, name, metaFields(meta), chunkFields(chunks), content, fuzzy];
    }
    case 'mkdir':
      return ['d', change.volume, change.id, change.parent, change.name, metaFields(change.meta)];
    case 'symlink': {
      const { volume, id, parent, name, meta, target } = change;
      return ['l', volume, id, parent, name, metaFields(meta), target];
    }
    case 'rename':
      return ['n', change.volume, change.id, change.parent, change.name];
    case 'remove':
      return ['r', change.volume, change.id];
    case 'setmeta':
      return ['m', change.volume, change.id, metaFields(change.meta)];
    case 'chunk':
      return ['c', change.hash, change.data];
  }
}

function changeOf(value: unknown): Change {
  if (!Array.isArray(value)) throw invalid('a change is no list');
  const [code, ...fields] = value as unknown[];
  const reader = new FieldReader(fields);
  switch (code) {
    case 'p': {
      const placed = reader.placed();
      const [meta, chunks, data] = [reader.meta(), reader.chunks(), reader.optionalBytes()];
      return { kind: 'put', ...placed, meta, chunks, data, fuzzy: reader.flag() };
    }
    case 'd':
      return { kind: 'mkdir', ...reader.placed(), meta: reader.meta() };
    case 'l':
      return { kind: 'symlink', ...reader.placed(), meta: reader.meta(), target: reader.bytes() };
    case 'n':
      return { kind: 'rename', ...reader.placed() };
    case 'r':
      return { kind: 'remove', volume: reader.natural(), id: reader.natural() };
    case 'm':
      return {
        kind: 'setmeta',
        volume: reader.natural(),
        id: reader.natural(),
        meta: reader.meta(),
      };
    case 'c':
      return { kind: 'chunk', hash: reader.hash(), data: reader.bytes() };
    default:
      throw invalid(`a change of kind ${JSON.stringify(code)}`);
  }
}

/** Takes one field after the other, each checked. */
class FieldReader {
  readonly #fields: Fields;
  #at = 0;

  constructor(fields: Fields) {
    this.#fields = fields;
  }

  placed(): { volume: number; id: number; parent: number; name: Buffer } {
    const [volume, id, parent] = [this.natural(), this.natural(), this.natural()];
    return { volume, id, parent, name: this.name() };
  }

  natural(): number {
    const value = this.#next();
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
    throw invalid(`a number is ${JSON.stringify(value)}`);
  }

  integer(): number {
    const value = this.#next();
    if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
    throw invalid(`a number is ${JSON.stringify(value)}`);
  }

  flag(): boolean {
    const value = this.#next();
    if (typeof value === 'boolean') return value;
    throw invalid(`a flag is ${JSON.stringify(value)}`);
  }

  bytes(): Buffer {
    const value = this.#next();
    if (value instanceof Uint8Array) return bufferOf(value);
    throw invalid('a field that must be bytes is none');
  }

  optionalBytes(): Buffer | undefined {
    const value = this.#next();
    if (value === null || value === undefined) return undefined;
    if (value instanceof Uint8Array) return bufferOf(value);
    throw invalid('a field that must be bytes is none');
  }

  hash(): Buffer {
    const hash = this.bytes();
    if (hash.length === HASH_BYTES) return hash;
    throw invalid(`a hash of ${hash.length} bytes`);
  }

  /** A name that leads nowhere but into its directory. */
  name(): Buffer {
    const name = this.bytes();
    if (isFileName(name)) return name;
    throw invalid(`a file name ${JSON.stringify(name.toString('latin1'))}`);
  }

  meta(): Meta {
    const reader = new FieldReader(this.#list());
    return {
      mode: reader.natural(),
      uid: reader.natural(),
      gid: reader.natural(),
      mtimeSeconds: reader.integer(),
      mtimeNanoseconds: reader.natural(),
    };
  }

  chunks(): ChunkRef[] {
    const fields = this.#list();
    const reader = new FieldReader(fields);
    const chunks: ChunkRef[] = [];
    for (let at = 0; at < fields.length; at += 2) {
      chunks.push({ hash: reader.hash(), bytes: reader.natural() });
    }
    return chunks;
  }

  #list(): Fields {
    const value = this.#next();
    if (Array.isArray(value)) return value;
    throw invalid('a field that must be a list is none');
  }

  #next(): unknown {
    const value = this.#fields[this.#at];
    this.#at += 1;
    return value;
  }
}

/** Whether the bytes name one file in a directory, and nothing else. */
export function isFileName(name: Uint8Array): boolean {
  if (name.length === 0 || name.length > NAME_BYTES_MAX) return false;
  if (name.includes(0) || name.includes(0x2f)) return false;
  const isDots = name.every((byte) => byte === 0x2e);
  return !(isDots && name.length <= 2);
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

const text = Type.String({ maxLength: 4096 });
const natural = Type.Integer({ minimum: 0 });
const DecreeSchema = Type.Union([
  Type.Object({ kind: Type.Literal('tenure'), term: natural, holder: text }),
  Type.Object({
    kind: Type.Literal('handover'),
    term: natural,
    holder: text,
    to: text,
    cause: Type.Optional(text),
  }),
  Type.Object({
    kind: Type.Literal('baseline'),
    origin: text,
    volumes: Type.Array(
      Type.Object({ name: text, files: natural, bytes: natural, treeHash: text }),
    ),
  }),
  Type.Object({ kind: Type.Literal('barrier'), id: natural }),
  Type.Object({ kind: Type.Literal('floor'), index: natural }),
  Type.Object({ kind: Type.Literal('settings'), leaseMs: Type.Number({ exclusiveMinimum: 0 }) }),
  Type.Object({
    kind: Type.Literal('history'),
    record: Type.Object({
      epoch: natural,
      event: Type.Union(
        (['start', 'switchover', 'failover', 'restart'] as const).map((event) =>
          Type.Literal(event),
        ),
      ),
      from: text,
      to: text,
      cause: text,
      atMs: Type.Number(),
      phases: Type.Array(Type.Object({ name: text, ms: Type.Number() })),
    }),
  }),
]);
const ajv = new Ajv();
const isDecree = ajv.compile<Decree>(DecreeSchema);

function decreeOf(value: unknown): Decree {
  if (isDecree(value)) return value;
  throw invalid(`no decree: ${ajv.errorsText(isDecree.errors)}`);
}

function invalid(what: string): MailraftError {
  return new MailraftError('DATA_INVALID', what);
}
