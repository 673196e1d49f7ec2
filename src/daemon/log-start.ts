/**
 * What the host begins with: the journal's recovery and the files' position in the log
 * brought together.
 */

import type { Entry, Membership } from '../consensus/core/types.ts';
import type { HostStart } from '../consensus/host/ports.ts';
import type { PlacedTenureRecord, TenureRecord } from '../consensus/host/tenure-records.ts';
import { MailraftError } from '../errors.ts';
import type { Journal } from '../journal/journal.ts';
import { DECREE_TAG, decodeCommand } from '../replication/command/codec.ts';
import type { CommittedState } from '../replication/committed-state.ts';

/** Reads the tenure record in an entry, if it holds one. */
export function readTenure({ data }: Entry): TenureRecord | undefined {
  if (data[0] !== DECREE_TAG) return undefined;
  const command = decodeCommand(data);
  if (command.kind !== 'decree') return undefined;
  const { decree } = command;
  return decree.kind === 'tenure' || decree.kind === 'handover' ? decree : undefined;
}

/**
 * Makes a journal that does not hold what is applied begin there: the files are a
 * committed state, and everything after it comes from the leader.
 *
 * @returns whether the journal may lack entries that this node acknowledged, so that it
 *   must not vote before it has everything again
 */
export async function mendJournal(
  journal: Journal,
  { position }: CommittedState,
  membership: Membership,
): Promise<boolean> {
  if (journal.termAt(position.index) === position.term) return journal.isMuted;
  if (journal.hardState.term < position.term) throw votesLost(position.term);
  await journal.setMuted(true);
  await new Promise<void>((resolve) => {
    // What it knows of the configuration may be newer than the state that it begins with.
    const membershipIndex = journal.placed.index;
    const snapshot = { ...position, membership, membershipIndex };
    const batch = { hardState: undefined, entries: [], snapshot, promiseMs: undefined };
    journal.append({ ...batch, mustSync: true }, resolve);
  });
  return true;
}

/** No damage that was found explains it: the journal, or its end, is not there. */
function votesLost(term: number): MailraftError {
  return new MailraftError(
    'DATA_DAMAGED',
    `the journal knows nothing of term ${term}, which the files are of: it does not tell in which ` +
      'terms this node voted, so it must not take part: put the journal back, or add the node ' +
      'anew, with an empty data directory',
  );
}

export function hostStart(
  journal: Journal,
  { position, tenure }: CommittedState,
  { membership, isMuted }: { readonly membership: Membership; readonly isMuted: boolean },
): HostStart {
  const { hardState } = journal;
  const commit = Math.min(Math.max(hardState.commit, position.index), journal.lastIndex);
  return {
    hardState: { ...hardState, commit },
    membership,
    membershipIndex: journal.placed.index,
    configs: journal.configs.filter(({ index, term }) => journal.termAt(index) === term),
    applied: Math.max(position.index, journal.firstIndex - 1),
    longestPromiseMs: journal.promiseMs,
    tenureRecords: recordsOf(journal, tenure),
    isMuted,
  };
}

function recordsOf(journal: Journal, applied: CommittedState['tenure']): PlacedTenureRecord[] {
  const records = journal.taggedEntries.flatMap((entry) => {
    const record = readTenure(entry);
    return record === undefined ? [] : [{ index: entry.index, record }];
  });
  const isOlder = applied !== undefined && applied.index < (records[0]?.index ?? Infinity);
  return isOlder ? [applied, ...records] : records;
}
