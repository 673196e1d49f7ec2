/**
 * Which words of others the core may hear at all (safety rules 1 and 5).
 *
 * Kept beside the core, which knows nothing of promises: a request for a vote is not
 * heard while one is kept, and passes against it only on the hand-over record that the
 * own log holds as its last word.
 */

import type { Message } from '../core/messages.ts';
import type { NodeId, Term } from '../core/types.ts';
import type { TenureRecords } from './tenure-records.ts';

export interface AdmissionFacts {
  readonly self: NodeId;
  readonly term: Term;
  /** Whether it may vote at all, whatever was promised to whom. */
  readonly mayVote: boolean;
  /** Whether this member owes its silence to anybody. */
  isSilent(): boolean;
  /** Whether it may lead. */
  readonly mayLead: boolean;
  readonly records: TenureRecords;
}

export function admits(message: Message, facts: AdmissionFacts): boolean {
  switch (message.type) {
    case 'vote':
    case 'preVote': {
      if (!facts.mayVote) return false;
      const { from, term, handover, transfer } = message;
      return transfer ? facts.records.handsOver(from, term - 1, handover) : !facts.isSilent();
    }
    case 'timeoutNow':
      return (
        facts.mayLead &&
        message.term === facts.term &&
        facts.records.handsOver(facts.self, message.term, message.handover)
      );
    case 'append':
    case 'appendResponse':
    case 'heartbeat':
    case 'heartbeatResponse':
    case 'voteResponse':
    case 'preVoteResponse':
    case 'snapshot':
      return true;
    case 'propose':
    case 'transferLeader':
    case 'readIndex':
    case 'readIndexResponse':
      // Nothing is passed on here: who asks is told who leads.
      return false;
  }
}
