/**
 * Memberships made from parts, and read from what another member sent.
 */

import { MailraftError } from '../../../errors.ts';
import { type MemberDetail, type Membership, NO_NODE, type NodeId } from '../types.ts';

/** Most members that a configuration names; a group has a handful. */
const MEMBERS_MAX = 64;
const ID_CHARS_MAX = 256;
const DETAIL_CHARS_MAX = 4096;

/** A membership of the given parts; what is not given is empty. */
export function membershipOf(parts: Partial<Membership>): Membership {
  return {
    voters: [],
    outgoing: [],
    learners: [],
    learnersNext: [],
    autoLeave: false,
    witness: NO_NODE,
    copySet: [],
    details: {},
    ...parts,
  };
}

/**
 * Checks that `value` has the shape of a membership.
 *
 * @throws {MailraftError} `DATA_INVALID` naming what is wrong
 */
export function readMembership(value: unknown): Membership {
  if (typeof value !== 'object' || value === null) throw invalid('a membership is no object');
  const parts = value as Record<string, unknown>;
  return {
    voters: nodesOf(parts['voters']),
    outgoing: nodesOf(parts['outgoing']),
    learners: nodesOf(parts['learners']),
    learnersNext: nodesOf(parts['learnersNext']),
    autoLeave: parts['autoLeave'] === true,
    witness: parts['witness'] === NO_NODE ? NO_NODE : nodeOf(parts['witness']),
    copySet: nodesOf(parts['copySet']),
    details: detailsOf(parts['details']),
  };
}

/** @throws {MailraftError} `DATA_INVALID` unless `value` is a list of names */
export function nodesOf(value: unknown): NodeId[] {
  if (!Array.isArray(value)) throw invalid('a list of members is none');
  if (value.length > MEMBERS_MAX) throw invalid(`a list names ${value.length} members`);
  return value.map(nodeOf);
}

/** @throws {MailraftError} `DATA_INVALID` unless `value` can be a node's name */
export function nodeOf(value: unknown): NodeId {
  if (typeof value === 'string' && value !== '' && value.length <= ID_CHARS_MAX) return value;
  throw invalid(`a node is named ${JSON.stringify(value)}`);
}

function detailsOf(value: unknown): Record<NodeId, MemberDetail> {
  if (typeof value !== 'object' || value === null) throw invalid('details of members are none');
  const entries = Object.entries(value);
  if (entries.length > MEMBERS_MAX) throw invalid(`details of ${entries.length} members`);
  return Object.fromEntries(entries.map(([id, detail]) => [nodeOf(id), readDetail(detail)]));
}

/** @throws {MailraftError} `DATA_INVALID` unless `value` is the detail of a member */
export function readDetail(value: unknown): MemberDetail {
  if (typeof value !== 'object' || value === null) throw invalid('the detail of a member is none');
  const { incarnation, info } = value as Record<string, unknown>;
  return { incarnation: textOf(incarnation), info: textOf(info) };
}

function textOf(value: unknown): string {
  if (typeof value === 'string' && value.length <= DETAIL_CHARS_MAX) return value;
  throw invalid('a detail of a member is no text, or too long');
}

function invalid(what: string): MailraftError {
  return new MailraftError('DATA_INVALID', what);
}
