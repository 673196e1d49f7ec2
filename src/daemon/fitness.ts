/** Whether a member is fit to serve, and fitter than others: in words where it is not. */

import type { MemberConfig } from '../config/config.ts';
import type { RaftHost } from '../consensus/host/raft-host.ts';
import type { ReplicatorStatus } from '../replication/status.ts';

export interface FitnessFacts {
  /** The member's own lines of the configuration. */
  readonly own: MemberConfig | undefined;
  readonly status: Pick<ReplicatorStatus, 'mode' | 'missing' | 'lacksRoom'>;
  readonly host: Pick<
    RaftHost,
    'isMuted' | 'isStorageStalled' | 'membership' | 'progress' | 'standing'
  >;
  readonly hasSpace: boolean;
  readonly isShuttingDown: boolean;
}

const NOT_BASELINED = "the cluster's data are not indexed yet";
const NO_SPACE = 'the journal has no space';

/** Why the member may not serve, whatever else holds. */
export function obstacleOf(facts: FitnessFacts): string | undefined {
  const { own, status, host, hasSpace, isShuttingDown } = facts;
  if (own?.canBePrimary === false) return 'it is not to be primary, says its configuration';
  if (status.mode === 'awaitingBaseline') return NOT_BASELINED;
  if (status.mode === 'resyncing') return 'it is fetching the state from another member';
  if (status.missing > 0) return `${status.missing} files are missing here`;
  if (host.isMuted) return 'its journal was damaged and is not whole again';
  if (!hasSpace) return NO_SPACE;
  return isShuttingDown ? 'it is shutting down' : undefined;
}

/** Why a primary is to give its place to another, if one is ready. */
export function illnessOf({ status, host, hasSpace }: FitnessFacts): string | undefined {
  if (!hasSpace) return canOthersCommit(host) ? NO_SPACE : undefined;
  return host.isStorageStalled ? 'the disk stalls' : status.lacksRoom;
}

/** Whether the record of a hand-over would be committed without this member's own disk. */
function canOthersCommit(host: FitnessFacts['host']): boolean {
  const { voters } = host.membership;
  const { leader } = host.standing;
  const level = host
    .progress()
    .filter(({ id, isActive, state }) => id !== leader && isActive && state === 'replicate');
  return level.filter(({ id }) => voters.includes(id)).length > voters.length / 2;
}
