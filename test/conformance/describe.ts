/**
 * The print forms of transcripts: states, entries, messages, progress, configurations.
 */

import type { ConfigChange, MemberChange } from '../../src/consensus/core/membership/change.ts';
import { decodeConfigChange } from '../../src/consensus/core/membership/change.ts';
import type { MemberProgress } from '../../src/consensus/core/tracker/tracker.ts';
import type {
  Entry,
  HardState,
  Membership,
  NodeId,
  Role,
  SnapshotMark,
  SoftState,
} from '../../src/consensus/core/types.ts';
import { decimal, hexadecimal } from './node-ids.ts';
import { quoted } from './quoted.ts';
import { APPEND_THREAD, APPLY_THREAD, type WireMessage } from './wire-message.ts';

/** The context of a change of the older form, which has one change and no transition. */
export const FIRST_FORM = 'v1';

const ROLES: Readonly<Record<Role, string>> = {
  follower: 'StateFollower',
  candidate: 'StateCandidate',
  leader: 'StateLeader',
  preCandidate: 'StatePreCandidate',
};

const PROGRESS_STATES: Readonly<Record<MemberProgress['state'], string>> = {
  probe: 'StateProbe',
  replicate: 'StateReplicate',
  snapshot: 'StateSnapshot',
};

const CHANGE_LETTERS: Readonly<Record<MemberChange['kind'], string>> = {
  addVoter: 'v',
  addLearner: 'l',
  remove: 'r',
  update: 'u',
  addWitness: 'w',
};

export function describeRole(role: Role): string {
  return ROLES[role];
}

export function describeSoftState({ leader, role }: SoftState): string {
  return `Lead:${decimal(leader)} State:${ROLES[role]}`;
}

export function describeHardState({ term, vote, commit }: HardState): string {
  return `Term:${term}${vote === '' ? '' : ` Vote:${decimal(vote)}`} Commit:${commit}`;
}

export function describeChanges(changes: ConfigChange['changes']): string {
  return changes.map(({ kind, id }) => `${CHANGE_LETTERS[kind]}${decimal(id)}`).join(' ');
}

export function describeEntry(entry: Entry): string {
  return `${entry.term}/${entry.index} ${describeContent(entry)}`;
}

function describeContent({ kind, data }: Entry): string {
  if (kind !== 'config') return `EntryNormal ${quoted(data)}`;
  const { changes, context } = decodeConfigChange(data);
  const type = context === FIRST_FORM ? 'EntryConfChange' : 'EntryConfChangeV2';
  return [type, describeChanges(changes)].filter((part) => part !== '').join(' ');
}

export function describeEntries(entries: readonly Entry[]): readonly string[] {
  return entries.map(describeEntry);
}

export function describeSnapshot({ index, term, membership }: SnapshotMark): string {
  return `Index:${index} Term:${term} ConfState:${describeConfState(membership)}`;
}

function describeConfState(membership: Membership): string {
  const { voters, outgoing, learners, learnersNext, autoLeave } = membership;
  const lists = [
    `Voters:${list('[', voters, ']')}`,
    `VotersOutgoing:${list('[', outgoing, ']')}`,
    `Learners:${list('[', learners, ']')}`,
    `LearnersNext:${list('[', learnersNext, ']')}`,
  ];
  return `${lists.join(' ')} AutoLeave:${autoLeave}`;
}

/** A configuration as the cases of configuration changes print it. */
export function describeMembership(membership: Membership): string {
  const { voters, outgoing, learners, learnersNext, autoLeave } = membership;
  const halves = [voters, ...(outgoing.length > 0 ? [outgoing] : [])];
  const parts = [`voters=${halves.map((half) => list('(', half, ')')).join('&&')}`];
  if (learners.length > 0) parts.push(`learners=${list('(', learners, ')')}`);
  if (learnersNext.length > 0) parts.push(`learners_next=${list('(', learnersNext, ')')}`);
  if (autoLeave) parts.push('autoleave');
  return parts.join(' ');
}

function list(open: string, ids: readonly NodeId[], close: string): string {
  return `${open}${ids.map(decimal).join(' ')}${close}`;
}

export function describeProgress(progress: MemberProgress): string {
  const { id, state, match, next, isLearner, isPaused, pendingSnapshot, isActive } = progress;
  const { inflights, isWindowFull } = progress;
  const parts = [`${decimal(id)}: ${PROGRESS_STATES[state]} match=${match} next=${next}`];
  if (isLearner) parts.push('learner');
  if (isPaused) parts.push('paused');
  if (pendingSnapshot > 0) parts.push(`pendingSnap=${pendingSnapshot}`);
  if (!isActive) parts.push('inactive');
  if (inflights > 0) parts.push(`inflight=${inflights}${isWindowFull ? '[full]' : ''}`);
  return parts.join(' ');
}

/** The lines of a message; those of what it carries are indented further. */
export function describeMessage(message: WireMessage, indent = ''): readonly string[] {
  const { from, to, type, term, logTerm, index, entries, snapshot, responses } = message;
  const head = `${target(from)}->${target(to)} ${type} Term:${term} Log:${logTerm}/${index}`;
  const lines = new Lines(`${indent}${head}`);
  if (message.rejected) lines.extend(` Rejected (Hint: ${message.hint})`);
  if (message.commit !== 0) lines.extend(` Commit:${message.commit}`);
  if (message.vote !== '') lines.extend(` Vote:${decimal(message.vote)}`);
  const [first] = entries;
  if (first !== undefined && entries.length === 1) {
    lines.extend(` Entries:[${describeEntry(first)}]`);
  } else if (entries.length > 1) {
    lines.extend(' Entries:[');
    for (const entry of entries) lines.add(`${indent}  ${describeEntry(entry)}`);
    lines.add(`${indent}]`);
  }
  if (snapshot !== undefined) lines.add(`${indent}  Snapshot: ${describeSnapshot(snapshot)}`);
  if (responses.length > 0) {
    lines.extend(' Responses:[');
    for (const response of responses) lines.add(...describeMessage(response, `${indent}  `));
    lines.add(`${indent}]`);
  }
  return lines.all;
}

function target(id: NodeId): string {
  if (id === APPEND_THREAD) return 'AppendThread';
  return id === APPLY_THREAD ? 'ApplyThread' : hexadecimal(id);
}

/** Lines of which the last may be continued. */
class Lines {
  readonly all: string[];

  constructor(first: string) {
    this.all = [first];
  }

  extend(text: string): void {
    this.all.push(`${this.all.pop() ?? ''}${text}`);
  }

  add(...lines: readonly string[]): void {
    this.all.push(...lines);
  }
}
