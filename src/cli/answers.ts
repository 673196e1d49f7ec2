/**
 * From the body of an answer to a report. Only what tells a node of this product
 * from anything else that speaks HTTP is checked: nodes may say more than this
 * version knows.
 */

import { MailraftError } from '../errors.ts';
import type { ClusterReport, HistoryEntry, StatusReport } from '../net/http/node-port.ts';

type Kind = 'string' | 'number' | 'boolean' | 'object' | 'array';

const STATUS_FIELDS: Readonly<Record<keyof StatusReport, Kind>> = {
  node: 'string',
  cluster: 'string',
  version: 'string',
  role: 'string',
  raft: 'object',
  copies: 'number',
  tenure: 'object',
  service: 'object',
  address: 'array',
  volumes: 'array',
  replication: 'object',
  journal: 'object',
  salvage: 'object',
  peers: 'array',
  paused: 'boolean',
  warnings: 'array',
};

/** The answer to `GET /status`. */
export function readStatus(body: unknown): StatusReport {
  return checked<StatusReport>(body, STATUS_FIELDS, '/status');
}

/** The answer to `GET /cluster`. */
export function readCluster(body: unknown): ClusterReport {
  return checked<ClusterReport>(body, { cluster: 'string', members: 'array' }, '/cluster');
}

/** The answer to `GET /history`, oldest first. */
export function readHistory(body: unknown): readonly HistoryEntry[] {
  if (Array.isArray(body)) return body;
  throw new MailraftError('DATA_INVALID', 'GET /history did not answer with a list');
}

/** What a node says of something that it was asked to do. */
export interface OperationView {
  readonly id: string;
  readonly state: 'running' | 'done' | 'failed';
  readonly phases: readonly {
    readonly name: string;
    readonly ms: number;
    readonly progress?: string | null;
  }[];
  readonly result: unknown;
  readonly problem: unknown;
}

/** The answer to `GET /v1/operations/{id}` and to the calls that begin one. */
export function readOperation(body: unknown): OperationView {
  const fields = { id: 'string', state: 'string', phases: 'array' } as const;
  return checked<OperationView>(body, fields, '/v1/operations');
}

function checked<Report>(
  body: unknown,
  fields: Readonly<Record<string, Kind>>,
  path: string,
): Report {
  const found: Readonly<Record<string, unknown>> =
    kindOf(body) === 'object' ? { ...(body as object) } : {};
  for (const [name, kind] of Object.entries(fields)) {
    if (kindOf(found[name]) === kind) continue;
    throw new MailraftError(
      'DATA_INVALID',
      `what answers there is no mailraft node of this version: its ${path} has no ${kind} ${JSON.stringify(name)}`,
    );
  }
  return body as Report;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
