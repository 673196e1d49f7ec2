/**
 * What a member's log knows, as others are told of it, and what that means for one that
 * knows less: it can not be elected by whoever knows more (Raft §5.4.1).
 */

import type { EntryId, NodeId } from '../consensus/core/types.ts';
import type { RaftHost } from '../consensus/host/raft-host.ts';
import type { Brief, PeerWatch } from './peer-watch.ts';

export type Knowledge = Pick<Brief, 'lastTerm' | 'lastIndex' | 'copySet'>;

/** Of a member that is not open yet: nothing. */
export function knowledgeOf(host: RaftHost | undefined): Knowledge {
  if (host === undefined) return { lastTerm: 0, lastIndex: 0, copySet: [] };
  const { lastIndex } = host.status;
  return { lastTerm: host.termAt(lastIndex) ?? 0, lastIndex, copySet: [...host.copySet] };
}

/** In words, why this member can not lead; undefined while it could, or somebody leads. */
export function staleText(
  self: NodeId,
  host: RaftHost,
  others: readonly NodeId[],
  peers: Pick<PeerWatch, 'findFresh'>,
): string | undefined {
  if (host.standing.leader !== '') return undefined;
  const own = knowledgeOf(host);
  for (const id of others) {
    const brief = peers.findFresh(id);
    if (brief === undefined || !isAhead(brief, own)) continue;
    const holders = brief.copySet.filter((holder) => holder !== self && holder !== id);
    const whom = holders.length === 0 ? 'a member that has them' : holders.join(' or ');
    return (
      `${id} knows of entries up to ${brief.lastIndex}, this node has ${own.lastIndex}: ` +
      `it must not lead before it has what is committed from ${whom}`
    );
  }
  return undefined;
}

function isAhead(other: Knowledge, own: Knowledge): boolean {
  return isNewer(
    { term: other.lastTerm, index: other.lastIndex },
    { term: own.lastTerm, index: own.lastIndex },
  );
}

function isNewer(one: EntryId, other: EntryId): boolean {
  return one.term > other.term || (one.term === other.term && one.index > other.index);
}
