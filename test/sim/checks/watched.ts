/** What the checks see of a member: its disk, and which disk that is. */

import type { NodeId } from '../../../src/consensus/core/types.ts';
import type { MemberStorage } from '../storage/member-storage.ts';

export interface Watched {
  readonly id: NodeId;
  readonly incarnation: string;
  readonly storage: Pick<MemberStorage, 'durable' | 'isDamaged'>;
}

export type WatchedMembers = ReadonlyMap<NodeId, Watched>;
