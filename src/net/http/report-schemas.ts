/**
 * The schemas of what a node reports, for the description of the interface.
 *
 * A report that a schema does not describe does not compile; that a schema
 * promises no more than is sent is tested.
 */

import { type Static, type TSchema, Type } from '@sinclair/typebox';
import type { ClusterReport, HistoryEntry, SalvageEntry, StatusReport } from './node-port.ts';
import type { OperationView } from './operations.ts';
import type { Problem } from './problem.ts';

/** A schema whose values are `T`. */
function describes<T>(): <S extends TSchema>(schema: Static<S> extends T ? S : never) => TSchema {
  return (schema) => schema;
}

const strict = { additionalProperties: false };
const text = Type.String();
const flag = Type.Boolean();
const count = Type.Integer({ minimum: 0 });
const milliseconds = Type.Number({ minimum: 0 });
const maybe = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()]);
const oneOf = <const T extends readonly string[]>(...values: T) =>
  Type.Unsafe<T[number]>({ type: 'string', enum: [...values] });

const probe = Type.Object(
  {
    name: text,
    verdict: oneOf('unknown', 'passing', 'failing'),
    atMs: maybe(Type.Number({ description: 'ms since 1970; null before the first answer' })),
    text,
  },
  strict,
);

const volume = Type.Object(
  {
    name: text,
    path: text,
    files: count,
    bytes: count,
    treeHash: Type.String({ description: 'of the file index at `treeHashIndex`' }),
    treeHashIndex: count,
    checkedIndex: count,
    checkedAt: maybe(text),
    checkedFiles: count,
    dirty: Type.Integer({ minimum: 0, description: 'changed and not yet committed paths' }),
    missing: Type.Integer({ minimum: 0, description: 'committed paths that are not here yet' }),
  },
  strict,
);

const raft = Type.Object(
  {
    state: text,
    term: count,
    leader: maybe(text),
    commitIndex: count,
    appliedIndex: count,
    lastIndex: count,
    firstIndex: count,
  },
  strict,
);

const tenure = Type.Object(
  {
    epoch: count,
    valid: flag,
    expiresInMs: Type.Number(),
    phase: text,
    waitsFor: maybe(text),
    protection: text,
  },
  strict,
);

const role = oneOf('primary', 'secondary', 'replica', 'dr', 'witness', 'joining', 'stopped');

export const STATUS: TSchema = describes<StatusReport>()(
  Type.Object(
    {
      node: text,
      cluster: text,
      version: text,
      role,
      raft,
      copies: Type.Integer({
        minimum: 0,
        description: 'disks that surely hold everything committed; 0 when not known',
      }),
      tenure,
      service: Type.Object(
        { state: text, pid: maybe(count), crashes: count, probes: Type.Array(probe) },
        strict,
      ),
      address: Type.Array(Type.Object({ address: text, held: flag }, strict)),
      volumes: Type.Array(volume),
      replication: Type.Object(
        {
          mode: text,
          problem: maybe(text),
          fetchedBytes: count,
          overflows: count,
          watched: count,
        },
        strict,
      ),
      journal: Type.Object(
        { bytes: count, maxSizeBytes: count, hasSpace: flag, damage: maybe(text) },
        strict,
      ),
      salvage: Type.Object({ count }, strict),
      peers: Type.Array(
        Type.Object(
          { id: text, isConnected: flag, problem: maybe(text), ageMs: maybe(milliseconds) },
          strict,
        ),
      ),
      paused: flag,
      warnings: Type.Array(text),
    },
    strict,
  ),
);

const member = Type.Object(
  {
    id: text,
    address: text,
    role: oneOf('voter', 'witness', 'learner'),
    incarnation: text,
    priority: Type.Integer(),
    site: text,
    isSelf: flag,
    isLeader: flag,
    isPrimary: flag,
    matchIndex: count,
    lag: Type.Object({ entries: count, bytes: count, seconds: milliseconds }, strict),
    canBePrimary: flag,
    eligible: flag,
    reason: maybe(text),
    ageMs: maybe(milliseconds),
  },
  strict,
);

export const CLUSTER: TSchema = describes<ClusterReport>()(
  Type.Object(
    {
      cluster: text,
      term: count,
      leader: maybe(text),
      primary: maybe(text),
      members: Type.Array(member),
    },
    strict,
  ),
);

export const HISTORY: TSchema = describes<readonly HistoryEntry[]>()(
  Type.Array(
    Type.Object(
      {
        epoch: count,
        event: text,
        from: text,
        to: text,
        cause: text,
        at: text,
        phases: Type.Array(Type.Object({ name: text, ms: milliseconds }, strict)),
      },
      strict,
    ),
  ),
);

const salvagedFile = Type.Object(
  { volume: text, path: text, type: text, bytes: count, sha256: text, reason: text },
  strict,
);

export const SALVAGE: TSchema = describes<readonly SalvageEntry[]>()(
  Type.Array(
    Type.Object(
      {
        id: text,
        epoch: count,
        node: text,
        keptAt: text,
        reason: text,
        files: Type.Array(salvagedFile),
      },
      strict,
    ),
  ),
);

/** The body of a role endpoint. */
export interface RoleReport {
  readonly role: string;
  readonly term: number;
}

export const ROLE: TSchema = describes<RoleReport>()(
  Type.Object({ role: text, term: count }, strict),
);

export const PROBLEM: TSchema = describes<Omit<Problem, 'code' | 'operation'>>()(
  Type.Object(
    {
      type: text,
      title: text,
      status: Type.Integer(),
      detail: text,
      code: Type.String({ description: 'stable; see the error codes of mailraft' }),
      operation: Type.Optional(Type.String({ description: 'id of the operation that failed' })),
    },
    strict,
  ),
);

export const OPERATION: TSchema = describes<Omit<OperationView, 'problem'>>()(
  Type.Object(
    {
      id: text,
      kind: oneOf(
        'switchover',
        'switchoverDryRun',
        'memberChange',
        'memberChangeDryRun',
        'barrier',
      ),
      state: oneOf('running', 'done', 'failed'),
      startedAt: text,
      phases: Type.Array(
        Type.Object(
          { name: text, startedAt: text, ms: milliseconds, progress: maybe(text) },
          strict,
        ),
      ),
      result: Type.Unknown({ description: 'null unless done' }),
      problem: maybe(PROBLEM),
    },
    strict,
  ),
);
