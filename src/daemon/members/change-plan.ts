/**
 * What the next step of a change of the members is. Pure: a request and the facts of now
 * in, one step out; carried out and asked again until it is done. So a change that was cut
 * off anywhere goes on where it stands when it is asked for again.
 *
 * Every step by itself is safe: one vote changes at a time, none that would leave no
 * majority of live voters, and nobody gets a vote before it has what the others have.
 */

import type { MemberChange } from '../../consensus/core/membership/change.ts';
import type { ErrorCode } from '../../errors.ts';
import { addVerb } from './admission.ts';
import type { AddRequest, MemberRequest } from './change-request.ts';
import type { Introduction } from './introduction.ts';
import { encodeInfo, type MemberInfo } from './member-info.ts';
import type { RosterMember } from './roster.ts';
import { voteSafety } from './vote-safety.ts';

export interface MemberFacts extends RosterMember {
  /** It answers, with the data directory that is listed. */
  readonly isLive: boolean;
  readonly lag: { readonly entries: number; readonly bytes: number };
  /** What its replication does, and how many of its files are not there yet. */
  readonly mode: string;
  readonly missing: number;
  readonly fetchedBytes: number;
}

export interface PlanFacts {
  readonly clusterId: string;
  /** Who leads, and decides this. */
  readonly leader: string;
  readonly members: readonly MemberFacts[];
  /** The node to add as it answers where it is said to be, or why it does not. */
  readonly candidate: Introduction | { readonly problem: string } | undefined;
  readonly isConfirmed: boolean;
}

export type Step =
  | { readonly kind: 'done'; readonly phase: string }
  | { readonly kind: 'refuse'; readonly code: ErrorCode; readonly reason: string }
  | { readonly kind: 'wait'; readonly phase: string; readonly progress: string }
  | { readonly kind: 'handOver'; readonly phase: string }
  /** Tell the node that it belongs to this cluster. */
  | { readonly kind: 'invite'; readonly phase: string; readonly incarnation: string }
  | {
      readonly kind: 'change';
      readonly phase: string;
      readonly change: MemberChange;
      readonly warnings: readonly string[];
      /** The member that is replaced had a vote: so is the one that replaces it to have. */
      readonly hadVote?: true;
    };

/** Level enough for a vote: what is left arrives in a moment. */
const LEVEL_ENTRIES_MAX = 256;
const LEVEL_BYTES_MAX = 1024 * 1024;

export function nextStep(request: MemberRequest, facts: PlanFacts): Step {
  const member = facts.members.find(({ id }) => id === request.id);
  if (request.kind === 'add') return addStep(request, member, facts);
  if (request.kind === 'remove' && member === undefined) {
    return done(`${request.id} is no member`);
  }
  if (member === undefined) {
    const known = facts.members.map(({ id }) => id).join(', ');
    return refuse('NOT_FOUND', `no member is called ${JSON.stringify(request.id)}: ${known}`);
  }
  switch (request.kind) {
    case 'remove':
      return leaveStep(member, facts, { kind: 'remove', id: member.id });
    case 'demote':
      if (member.standing === 'learner') return done(`${member.id} is a learner`);
      if (member.standing === 'witness')
        return isWitness(member.id, 'a witness can not be demoted');
      return leaveStep(member, facts, { kind: 'addLearner', id: member.id });
    case 'promote':
      return promoteStep(member, facts, 'now');
    case 'priority':
      if (member.priority === request.priority) {
        return done(`${member.id} has priority ${request.priority}`);
      }
      return updateStep(member, { ...member, priority: request.priority });
  }
}

function addStep(request: AddRequest, member: MemberFacts | undefined, facts: PlanFacts): Step {
  const { candidate } = facts;
  const { id } = request;
  if (candidate === undefined) {
    return refuse('USAGE', `${id} is not known here: say where it is, as HOST:PORT`);
  }
  if ('problem' in candidate) {
    return refuse('PRECONDITION_FAILED', `${id} can not be asked: ${candidate.problem}`);
  }
  if (candidate.id !== id) {
    return refuse('REFUSED', `at ${request.address} is ${candidate.id}, not ${id}`);
  }
  if (candidate.fault !== '') return refuse('REFUSED', candidate.fault);
  if (member?.incarnation === candidate.incarnation) return presentStep(request, member, facts);
  const isOurs = candidate.clusterId === facts.clusterId;
  if (candidate.clusterId !== '' && !isOurs) {
    return refuse(
      'REFUSED',
      `${id} belongs to another cluster: it must have an empty data directory`,
    );
  }
  if (isOurs && !candidate.isFresh) {
    const reason =
      `the data directory of ${id} (incarnation ${candidate.incarnation}) has taken part in this ` +
      'cluster before, and what it promised since is not known: empty it, and start the node again';
    return refuse('REFUSED', reason);
  }
  if (member !== undefined) return replaceStep(member, candidate, facts);
  if (!isOurs)
    return { kind: 'invite', phase: `inviting ${id}`, incarnation: candidate.incarnation };
  const detail = {
    incarnation: candidate.incarnation,
    info: encodeInfo(infoOf(request, undefined)),
  };
  if (candidate.isWitness) return witnessStep({ kind: 'addWitness', id, detail }, facts);
  const change = { kind: 'addLearner', id, detail } as const;
  return { kind: 'change', phase: `adding ${id} as a learner`, change, warnings: [] };
}

/** A witness has nothing to catch up with: it has its vote at once (safety rule 23). */
function witnessStep(change: MemberChange, facts: PlanFacts): Step {
  const { id } = change;
  const other = facts.members.find(({ standing }) => standing === 'witness');
  if (other !== undefined) return refuse('REFUSED', `${other.id} is the witness: remove it first`);
  const { voters, isLive } = votesOf(facts);
  const after = { voters, isLive: (one: string) => one === id || isLive(one) };
  const { obstacle, warnings } = voteSafety(after, [...voters, id]);
  if (obstacle !== undefined) return refuse('REFUSED', obstacle);
  return { kind: 'change', phase: `adding ${id} as the witness`, change, warnings };
}

/** The place is taken by another data directory: that one leaves first. */
function replaceStep(member: MemberFacts, candidate: Introduction, facts: PlanFacts): Step {
  const { id, incarnation } = member;
  if (member.isLive || id === facts.leader) {
    const reason =
      `${id} runs with the data directory that the cluster knows (incarnation ${incarnation}), and ` +
      `another node answers in its name (incarnation ${candidate.incarnation}): stop one of them`;
    return refuse('REFUSED', reason);
  }
  const step = leaveStep(member, facts, { kind: 'remove', id });
  if (step.kind !== 'change') return step;
  const phase = `removing ${id} as it was (incarnation ${incarnation})`;
  return member.standing === 'voter' ? { ...step, phase, hadVote: true } : { ...step, phase };
}

/** It is listed as it is: perhaps elsewhere or with other properties, perhaps without its vote yet. */
function presentStep(request: AddRequest, member: MemberFacts, facts: PlanFacts): Step {
  const info = infoOf(request, member);
  if (encodeInfo(info) !== encodeInfo(member)) return updateStep(member, info);
  if (member.standing !== 'learner') return done(`${member.id} is a ${member.standing}`);
  if (request.isPromoted) return promoteStep(member, facts, 'whenLevel');
  if (isLevel(member)) return done(`${member.id} is a learner, and has everything`);
  return catchUp(member);
}

function promoteStep(member: MemberFacts, facts: PlanFacts, when: 'now' | 'whenLevel'): Step {
  const { id, standing } = member;
  if (standing === 'voter') return done(`${id} is a voter`);
  if (standing === 'witness') return isWitness(id, 'it has a vote already, and no data');
  if (!isLevel(member)) {
    if (when === 'whenLevel') return catchUp(member);
    const reason = `${id} has not caught up: ${lagText(member)}; at most ${LEVEL_ENTRIES_MAX} entries may be missing, and no file`;
    return refuse('PRECONDITION_FAILED', reason);
  }
  const { voters, isLive } = votesOf(facts);
  const { obstacle, warnings } = voteSafety({ voters, isLive }, [...voters, id]);
  if (obstacle !== undefined) return refuse('REFUSED', obstacle);
  const change = { kind: 'addVoter', id } as const;
  return { kind: 'change', phase: `giving ${id} a vote`, change, warnings };
}

/** A member loses its vote, or its place. */
function leaveStep(member: MemberFacts, facts: PlanFacts, change: MemberChange): Step {
  const { id, standing } = member;
  const phase = change.kind === 'remove' ? `removing ${id}` : `taking the vote of ${id}`;
  if (standing === 'learner') return { kind: 'change', phase, change, warnings: [] };
  const { voters, isLive } = votesOf(facts);
  const after = voters.filter((voter) => voter !== id);
  const { obstacle, loss, warnings } = voteSafety({ voters, isLive }, after);
  if (obstacle !== undefined) return refuse('REFUSED', obstacle);
  const canServe = facts.members.some(
    (one) => one.id !== id && one.standing === 'voter' && one.canBePrimary,
  );
  if (!canServe) return refuse('REFUSED', 'no member that can be primary would be left');
  if (loss !== undefined && !facts.isConfirmed) {
    return refuse('REFUSED', `${loss}: say --yes if that is meant`);
  }
  if (id === facts.leader) return { kind: 'handOver', phase: `${id} hands over` };
  return { kind: 'change', phase, change, warnings };
}

function updateStep(member: MemberFacts, info: MemberInfo): Step {
  const detail = { incarnation: member.incarnation, info: encodeInfo(info) };
  const change = { kind: 'update', id: member.id, detail } as const;
  return { kind: 'change', phase: `changing what is said of ${member.id}`, change, warnings: [] };
}

function infoOf(request: AddRequest, member: MemberFacts | undefined): MemberInfo {
  return {
    address: request.address ?? member?.address ?? '',
    priority: request.priority ?? member?.priority ?? 0,
    site: request.site ?? member?.site ?? '',
    canBePrimary: request.canBePrimary ?? member?.canBePrimary ?? true,
  };
}

function isLevel({ isLive, mode, missing, lag }: MemberFacts): boolean {
  const isFollowing = isLive && mode === 'following' && missing === 0;
  return isFollowing && lag.entries <= LEVEL_ENTRIES_MAX && lag.bytes <= LEVEL_BYTES_MAX;
}

function catchUp(member: MemberFacts): Step {
  return { kind: 'wait', phase: `${member.id} catches up`, progress: lagText(member) };
}

function lagText({ isLive, mode, missing, lag, fetchedBytes, id }: MemberFacts): string {
  if (!isLive) return `${id} does not answer`;
  const fetched = fetchedBytes === 0 ? '' : `, ${fetchedBytes} bytes of files fetched`;
  return `${lag.entries} entries (${lag.bytes} bytes) and ${missing} files are missing, it is ${mode}${fetched}`;
}

function votesOf({ members, leader }: PlanFacts): {
  readonly voters: readonly string[];
  isLive(id: string): boolean;
} {
  const voters = members.filter(({ standing }) => standing !== 'learner').map(({ id }) => id);
  const isLive = (id: string): boolean =>
    id === leader || members.some((member) => member.id === id && member.isLive);
  return { voters, isLive };
}

function isWitness(id: string, why: string): Step {
  return refuse('REFUSED', `${id} is the witness: ${why}. Remove it, then ${addVerb(id)}`);
}

function done(phase: string): Step {
  return { kind: 'done', phase };
}

function refuse(code: ErrorCode, reason: string): Step {
  return { kind: 'refuse', code, reason };
}
