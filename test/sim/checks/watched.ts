/** What the checks see of a member: its disk, which disk that is, and its silence. */

import type { NodeId } from '../../../src/consensus/core/types.ts';
import type { MemberStorage } from '../storage/member-storage.ts';

export interface Watched {
  readonly id: NodeId;
  readonly incarnation: string;
  /** Until when, in true time, it votes for nobody. */
  readonly silentUntilMs: number;
  readonly storage: Pick<MemberStorage, 'durable' | 'isDamaged'>;
}

export type WatchedMembers = ReadonlyMap<NodeId, Watched>;
