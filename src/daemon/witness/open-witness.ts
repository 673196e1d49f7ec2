/** Opens what the witness of a founded cluster stands on: a small journal, then the member. */

import { randomInt } from 'node:crypto';
import type { Config } from '../../config/config.ts';
import type { Membership } from '../../consensus/core/types.ts';
import { Journal } from '../../journal/journal.ts';
import type { Transport } from '../../net/transport/transport.ts';
import { bootTimeMs } from '../../platform/linux/clock.ts';
import type { Logger } from '../../platform/log.ts';
import type { IdentityStore } from '../identity.ts';
import type { MemberEvent } from '../member.ts';
import { startingMembership } from '../raft-settings.ts';
import { WitnessMember } from './witness-member.ts';

/** What is there only once the cluster is founded. */
export interface OpenWitness {
  readonly member: WitnessMember;
  readonly journal: Journal;
  /** Nothing of it was known to be lost when it was opened. */
  readonly wasWhole: boolean;
}

export interface OpenWitnessParts {
  readonly config: Config;
  readonly log: Logger;
  readonly identity: IdentityStore;
  readonly transport: Transport;
  onMembership(membership: Membership): void;
  onSync(ms: number): void;
  onMemberEvent(event: MemberEvent): void;
  onFailed(error: Error): void;
}

const MIB = 1024 * 1024;
/** Entries without data are small, and whole segments are dropped soon. */
const SEGMENT_BYTES = MIB;
const CACHE_BYTES = MIB;
/** No command here has data, so none is of any kind that could be looked for. */
const NO_COMMAND = 0;

export async function openWitness(parts: OpenWitnessParts): Promise<OpenWitness> {
  const { config, identity, transport, log, onMemberEvent } = parts;
  const journal = await Journal.open({
    directory: identity.journalDirectory,
    segmentBytes: SEGMENT_BYTES,
    tag: NO_COMMAND,
    cacheBytes: CACHE_BYTES,
    onSync: parts.onSync,
  });
  if (journal.isMuted)
    log.warn({ damage: journal.damage }, 'the journal is damaged: no vote before it is whole');
  const { members, incarnation } = identity.current;
  const { index, membership } = journal.placed;
  const member = new WitnessMember({
    config,
    journal,
    placed: { index, membership: startingMembership(membership, members) },
    incarnation,
    send: (message) => transport.send(message),
    nowMs: bootTimeMs,
    random: (below) => randomInt(below),
    onMembership: (next) => parts.onMembership(next),
    onStanding: (standing) => onMemberEvent({ kind: 'standing', standing }),
    onSpace: (hasSpace) => onMemberEvent({ kind: 'space', hasSpace }),
    onMuted: (isMuted) => onMemberEvent({ kind: 'muted', isMuted }),
    onFailed: parts.onFailed,
  });
  return { member, journal, wasWhole: !journal.isMuted };
}
