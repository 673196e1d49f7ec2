/**
 * Follows the committed configurations, and verifies:
 * - one change at a time: whoever has a change in its log knows the one before to be
 *   committed, so that no member is two configurations behind (dissertation §4.1)
 * - quorums meet: every quorum of a configuration meets every quorum of the next (§4.3)
 *
 * Not here: whether a change was wise, or can be lived with. Copy sets are no
 * configurations (witness.ts).
 */

import { copySetIn } from '../../../src/consensus/core/copies/decree.ts';
import { decodeConfigChange } from '../../../src/consensus/core/membership/change.ts';
import { changed } from '../../../src/consensus/core/membership/reconfigure.ts';
import type {
  Entry,
  LogIndex,
  Membership,
  NodeId,
  PlacedMembership,
} from '../../../src/consensus/core/types.ts';
import { Violation } from '../violation.ts';

export function isConfigChange(entry: Entry): boolean {
  return entry.kind === 'config' && copySetIn(entry) === undefined;
}

export class Configurations {
  readonly #chain: PlacedMembership[];
  /** Of each member's log, the changes from the last one in effect on. */
  readonly #changes = new Map<NodeId, LogIndex[]>();

  constructor(first: Membership) {
    this.#chain = [{ index: 0, membership: first }];
  }

  get latest(): Membership {
    return (this.#chain.at(-1) as PlacedMembership).membership;
  }

  /** Those by one of which the entry at `index` was committed: a change counts late, or at once. */
  around(index: LogIndex): readonly Membership[] {
    const at = this.#chain.findLastIndex((placed) => placed.index <= index);
    const [before, now] = [this.#chain[at - 1], this.#chain[at] as PlacedMembership];
    return before === undefined ? [now.membership] : [now.membership, before.membership];
  }

  /** A process starts, with these changes in its log. */
  restarted(id: NodeId, changes: readonly LogIndex[]): void {
    this.#changes.set(id, [...changes]);
  }

  /** @param commit up to where the member knows its log to be committed */
  stored(id: NodeId, entries: readonly Entry[], commit: LogIndex): void {
    const first = entries[0];
    const changes = this.#changes.get(id) ?? [];
    this.#changes.set(id, changes);
    if (first === undefined) return;
    while ((changes.at(-1) ?? 0) >= first.index) changes.pop();
    for (const entry of entries) {
      if (!isConfigChange(entry)) continue;
      const before = changes.at(-1);
      if (before !== undefined && before > commit) {
        const text = `${id} has changes ${before} and ${entry.index} and knows ${commit} committed`;
        throw new Violation('one change at a time', text);
      }
      changes.push(entry.index);
    }
  }

  /** An entry is committed, each once and in order. */
  committed(entry: Entry): void {
    if (!isConfigChange(entry)) return;
    const { latest } = this;
    const next = changed(latest, decodeConfigChange(entry.data));
    if (!doQuorumsMeet(latest, next)) {
      const text = `entry ${entry.index} leads from ${named(latest)} to ${named(next)}`;
      throw new Violation('quorums meet', text);
    }
    this.#chain.push({ index: entry.index, membership: next });
  }
}

function named({ voters, outgoing }: Membership): string {
  return outgoing.length === 0 ? voters.join(' ') : `${voters.join(' ')} && ${outgoing.join(' ')}`;
}

const isMajority = (voters: readonly NodeId[], ids: ReadonlySet<NodeId>): boolean =>
  voters.length === 0 || voters.filter((id) => ids.has(id)).length * 2 > voters.length;

export function isQuorum({ voters, outgoing }: Membership, ids: ReadonlySet<NodeId>): boolean {
  return isMajority(voters, ids) && isMajority(outgoing, ids);
}

/** By trying: no set of voters may be a quorum of one while the rest is one of the other. */
function doQuorumsMeet(one: Membership, other: Membership): boolean {
  const all = [...new Set([...one.voters, ...one.outgoing, ...other.voters, ...other.outgoing])];
  for (let bits = 0; bits < 2 ** all.length; bits += 1) {
    const ids = new Set(all.filter((_, at) => (bits >> at) & 1));
    const rest = new Set(all.filter((id) => !ids.has(id)));
    if (isQuorum(one, ids) && isQuorum(other, rest)) return false;
  }
  return true;
}
