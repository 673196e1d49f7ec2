/**
 * Opens what a member of a founded cluster stands on, in the order in which each rests
 * on the one before: the journal, the files, then the member itself.
 */

import { randomInt } from 'node:crypto';
import type { Config } from '../config/config.ts';
import { readMembership } from '../consensus/core/membership/membership.ts';
import type { PlacedMembership } from '../consensus/core/types.ts';
import { MailraftError } from '../errors.ts';
import { Journal } from '../journal/journal.ts';
import type { Transport } from '../net/transport/transport.ts';
import { bootTimeMs, wallMs } from '../platform/linux/clock.ts';
import type { Logger } from '../platform/log.ts';
import { DECREE_TAG } from '../replication/command/codec.ts';
import type { ReplicationEvent, ReplicationPort } from '../replication/parts.ts';
import { ReplicationThread } from '../replication/thread/replication-thread.ts';
import type { IdentityStore } from './identity.ts';
import { mendJournal } from './log-start.ts';
import { Member, type MemberEvent } from './member.ts';
import type { Roster } from './members/roster.ts';
import type { Running } from './node-parts.ts';
import type { PeerWatch } from './peer-watch.ts';
import type { GuardianPort } from './primary-control.ts';
import type { ProbesPort } from './probing.ts';
import { startingMembership } from './raft-settings.ts';

export interface OpenMemberParts {
  readonly config: Config;
  readonly roster: Roster;
  readonly log: Logger;
  readonly identity: IdentityStore;
  readonly transport: Transport;
  readonly guardian: GuardianPort;
  readonly probes: ProbesPort;
  readonly peers: PeerWatch;
  onSync(ms: number): void;
  onMemberEvent(event: MemberEvent): void;
  onReplicationEvent(event: ReplicationEvent): void;
  onFailed(error: Error): void;
}

const MIB = 1024 * 1024;
const SEGMENT_BYTES_MAX = 64 * MIB;
const CACHE_BYTES = 64 * MIB;
/** Bytes of entries that are read from the journal in one go. */
const READ_BYTES = 8 * MIB;

export async function openMember(parts: OpenMemberParts): Promise<Running> {
  const { config, log, identity } = parts;
  const journal = await openJournal(parts);
  const holder: { member: Member | undefined } = { member: undefined };
  const replication = await ReplicationThread.open(
    {
      node: config.node.id,
      dataDir: config.node.dataDir,
      volumes: config.volumes.map((volume, at) => ({ ...volume, number: at + 1 })),
      journalBytesMax: config.journal.maxSizeBytes,
      journal: { firstIndex: journal.firstIndex, lastIndex: journal.lastIndex },
    },
    replicationPort(parts, journal, holder),
  );
  const { members, incarnation } = identity.current;
  const membership = startingMembership(journal.placed.membership, members);
  const isMuted = await mendJournal(journal, replication.status.state, membership);
  if (isMuted)
    log.warn({ damage: journal.damage }, 'the journal is damaged: no vote before it is whole');
  const member = new Member({
    ...parts,
    journal,
    replication,
    membership,
    incarnation,
    isMuted,
    send: (message) => parts.transport.send(message),
    nowMs: bootTimeMs,
    wallMs,
    random: (below) => randomInt(below),
    onEvent: (event) => parts.onMemberEvent(event),
  });
  holder.member = member;
  return { member, journal, wasWhole: !isMuted, replication };
}

function openJournal({ config, identity, onSync }: OpenMemberParts): Promise<Journal> {
  return Journal.open({
    directory: identity.journalDirectory,
    // Segments are dropped as a whole: several must fit into the greatest size.
    segmentBytes: Math.min(SEGMENT_BYTES_MAX, Math.floor(config.journal.maxSizeBytes / 16)),
    tag: DECREE_TAG,
    cacheBytes: CACHE_BYTES,
    onSync,
  });
}

function replicationPort(
  { transport, peers, log, onReplicationEvent, onFailed }: OpenMemberParts,
  journal: Journal,
  holder: { readonly member: Member | undefined },
): ReplicationPort {
  const events = () => holder.member?.replicationEvents;
  return {
    propose: (sequence, data) => events()?.propose(sequence, data),
    readJournal: async (from, to) => await readCommands(journal, from, to),
    readTails: () => readTails(journal, log),
    removeTail: (name) => journal.removeTail(name),
    askLeader: async (method, params) => {
      const answer = await transport.ask(sourceFor(holder.member, peers), method, params);
      if (method === 'resync.open') holder.member?.fetchingFrom(placedIn(answer));
      return answer;
    },
    onApplied: (index) => events()?.onApplied(index),
    onDecree: (index, decree) => events()?.onDecree(index, decree),
    onEvent: (event) => {
      onReplicationEvent(event);
      events()?.onEvent(event);
    },
    onStateFetched: (position, tenure) => events()?.onStateFetched(position, tenure),
    onFailed,
  };
}

/** The configuration that came with the listing of a state. */
function placedIn(answer: unknown): PlacedMembership {
  const { membership, membershipIndex: index } = answer as Readonly<Record<string, unknown>>;
  if (typeof index === 'number' && Number.isSafeInteger(index) && index >= 0) {
    return { index, membership: readMembership(membership) };
  }
  throw new MailraftError('DATA_INVALID', 'a state was listed without its members');
}

/** Who has everything: the leader, or another whole member where this node leads. */
function sourceFor(member: Member | undefined, peers: PeerWatch): string {
  const leader = member?.host.standing.leader ?? '';
  if (leader === '') throw new MailraftError('NO_QUORUM', 'no leader is known');
  if (member?.host.standing.role !== 'leader') return leader;
  const whole = member.fitness.candidates.find(({ id }) => peers.findFresh(id)?.canServe === true);
  if (whole !== undefined) return whole.id;
  throw new MailraftError('NO_QUORUM', 'no other member has everything');
}

/** What was replaced here; of what is damaged, as much as can be read. */
async function readTails(
  journal: Journal,
  log: Logger,
): Promise<{ readonly name: string; readonly commands: readonly Buffer[] }[]> {
  const tails = await journal.tails();
  for (const { name } of tails.filter(({ isDamaged }) => isDamaged)) {
    const text = 'entries that only this node had are damaged: their file stays in the journal';
    log.warn({ tail: name }, text);
  }
  return tails.map(({ name, entries }) => ({
    name,
    commands: entries.filter(({ kind }) => kind === 'command').map(({ data }) => bufferOf(data)),
  }));
}

/** Commands in `[from, to)` that the journal still holds. */
async function readCommands(
  journal: Journal,
  from: number,
  to: number,
): Promise<{ readonly index: number; readonly data: Buffer }[]> {
  const commands: { readonly index: number; readonly data: Buffer }[] = [];
  const end = Math.min(to, journal.lastIndex + 1);
  let next = Math.max(from, journal.firstIndex);
  while (next < end) {
    const entries = await journal.read(next, end, READ_BYTES);
    const last = entries.at(-1);
    if (last === undefined) break;
    for (const { index, kind, data } of entries) {
      if (kind === 'command') commands.push({ index, data: bufferOf(data) });
    }
    next = last.index + 1;
  }
  return commands;
}

function bufferOf(data: Uint8Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.length);
}
