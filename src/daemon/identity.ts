/**
 * Who this data directory is: the node, its incarnation, the cluster it belongs to
 * (safety rule 24).
 *
 * A directory without a cluster is empty and takes part in nothing until the cluster
 * is founded; one with a cluster belongs to it for good. The file is replaced as a
 * whole and durable before anything rests on it.
 */

import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { Ajv } from 'ajv';
import { MailraftError } from '../errors.ts';

const text = Type.String({ maxLength: 256 });
/** A member as of the founding. */
export const MemberIdentitySchema = Type.Object({
  id: text,
  incarnation: text,
  role: Type.Union([Type.Literal('voter'), Type.Literal('witness'), Type.Literal('learner')]),
  /** See member-info.ts. */
  info: Type.String({ maxLength: 4096 }),
});
const IdentitySchema = Type.Object({
  version: Type.Literal(2),
  cluster: text,
  id: text,
  incarnation: text,
  /** Empty until the cluster is founded. */
  clusterId: text,
  /** The members that the log begins with: those of the founding, whoever joined later. */
  members: Type.Array(MemberIdentitySchema),
  /** Why the directory can not be relied on, so that it takes no part; empty when it can. */
  fault: Type.String({ maxLength: 2048 }),
});
export type MemberIdentity = Static<typeof MemberIdentitySchema>;
export type NodeIdentity = Static<typeof IdentitySchema>;

const isIdentity = new Ajv().compile<NodeIdentity>(IdentitySchema as TSchema);
const FILE = 'node.json';
const JOURNAL = 'journal';

/** 128 random bits as text. */
export function freshId(): string {
  return randomBytes(16).toString('hex');
}

export class IdentityStore {
  readonly #directory: string;
  #current: NodeIdentity;

  /**
   * Reads the identity in the directory, or makes one where there is nothing yet.
   *
   * @throws {MailraftError} `CONFIG_INVALID` when the directory is another node's,
   *   `DATA_DAMAGED` when it holds a journal and no readable identity
   */
  constructor(directory: string, expected: { readonly cluster: string; readonly id: string }) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const path = join(directory, FILE);
    if (existsSync(path)) {
      this.#current = read(path);
      check(this.#current, expected, directory);
      return;
    }
    if (existsSync(join(directory, JOURNAL))) {
      throw new MailraftError('DATA_DAMAGED', `${path} is missing beside a journal: restore it`);
    }
    const fresh = { clusterId: '', members: [], fault: '' };
    this.#current = { version: 2, ...expected, incarnation: freshId(), ...fresh };
    this.#write();
  }

  get current(): NodeIdentity {
    return this.#current;
  }

  get isFounded(): boolean {
    return this.#current.clusterId !== '';
  }

  get journalDirectory(): string {
    return join(this.#directory, JOURNAL);
  }

  /** Belongs to the cluster from now on, durably. */
  join(clusterId: string, members: readonly MemberIdentity[]): void {
    this.#current = { ...this.#current, clusterId, members: [...members] };
    this.#write();
  }

  /** It turned out to be an older state of itself: it takes no part any more, durably. */
  condemn(fault: string): void {
    if (this.#current.fault !== '') return;
    this.#current = { ...this.#current, fault };
    this.#write();
  }

  #write(): void {
    const path = join(this.#directory, FILE);
    const fresh = `${path}.new`;
    const fd = openSync(fresh, 'w', 0o600);
    try {
      writeSync(fd, `${JSON.stringify(this.#current, undefined, 2)}\n`);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(fresh, path);
    const directory = openSync(this.#directory, 'r');
    try {
      fsyncSync(directory);
    } finally {
      closeSync(directory);
    }
  }
}

function read(path: string): NodeIdentity {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new MailraftError('DATA_DAMAGED', `${path} can not be read`, { cause });
  }
  if (isIdentity(value)) return value;
  throw new MailraftError('DATA_DAMAGED', `${path} is not the identity of a node`);
}

function check(
  { cluster, id }: NodeIdentity,
  expected: { readonly cluster: string; readonly id: string },
  directory: string,
): void {
  if (cluster === expected.cluster && id === expected.id) return;
  throw new MailraftError(
    'CONFIG_INVALID',
    `${directory} is the data of node ${JSON.stringify(id)} of cluster ${JSON.stringify(cluster)}, ` +
      `the configuration names ${JSON.stringify(expected.id)} of ${JSON.stringify(expected.cluster)}`,
  );
}
