/** What a node knows of the others, and of what came before: `/cluster`, `/history`, salvage. */

import type {
  ClusterReport,
  HistoryEntry,
  MemberReport,
  SalvageEntry,
} from '../net/http/node-port.ts';
import type { HistoryRecord } from '../replication/command/decree.ts';
import type { SalvageManifest } from '../replication/salvage/salvage-store.ts';
import type { RosterMember } from './members/roster.ts';
import type { NodeParts } from './node-parts.ts';
import { isPrimary, staleness } from './status-report.ts';

/** Why a witness is never primary. */
export const NO_DATA = 'it is the witness, which has no data';

export function clusterReport(parts: NodeParts): ClusterReport {
  const { config, roster, running } = parts;
  const { term = 0, leader = '' } = running?.member.host.standing ?? {};
  return {
    cluster: config.cluster,
    term,
    leader: leader === '' ? null : leader,
    primary: roster.members.find(({ id }) => serves(parts, id))?.id ?? null,
    members: roster.members.map((member) => memberReport(parts, member)),
  };
}

function serves(parts: NodeParts, id: string): boolean {
  if (id === parts.config.node.id) return isPrimary(parts);
  return parts.peers.findFresh(id)?.serves === true;
}

function memberReport(parts: NodeParts, member: RosterMember): MemberReport {
  const { config, running, peers, nowMs } = parts;
  const { id, address, standing, priority, site } = member;
  const isSelf = id === config.node.id;
  const host = running?.member.host;
  const progress = host?.progress().find((one) => one.id === id);
  const match = isSelf ? (host?.status.lastIndex ?? 0) : (progress?.match ?? 0);
  const heard = peers.find(id);
  const lag = running?.member.lags.lag(match, host?.status.lastIndex ?? 0, nowMs());
  const reason = reasonAgainst(parts, member);
  const isLeading = host?.standing.role === 'leader';
  return {
    id,
    address,
    role: standing,
    incarnation: member.incarnation,
    priority,
    site,
    isSelf,
    isLeader: host?.standing.leader === id,
    isPrimary: serves(parts, id),
    // Only a leader knows how far the others are.
    matchIndex: isLeading || isSelf ? match : (heard?.brief.applied ?? 0),
    lag: isLeading && lag !== undefined ? lag : { entries: 0, bytes: 0, seconds: 0 },
    canBePrimary: member.canBePrimary && standing === 'voter',
    eligible: reason === null,
    reason,
    ageMs: isSelf ? 0 : heard === undefined ? null : Math.round(nowMs() - heard.heardAtMs),
  };
}

/** Why a member could not be primary now; null when it could. */
function reasonAgainst(
  { config, roster, running, peers }: NodeParts,
  { id, standing }: RosterMember,
): string | null {
  if (standing === 'witness') return NO_DATA;
  if (id === config.node.id) {
    if (running === undefined) return 'the cluster is not founded yet';
    return running.member.fitness.obstacle ?? staleness({ config, roster, running, peers }) ?? null;
  }
  const brief = peers.findFresh(id);
  if (brief === undefined) return 'it does not answer';
  if (brief.serves || brief.canServe) return null;
  return brief.obstacle === '' ? `its replication is ${brief.mode}` : brief.obstacle;
}

export function historyEntry({ atMs, ...record }: HistoryRecord): HistoryEntry {
  return { ...record, at: new Date(atMs).toISOString() };
}

export function salvageEntry({
  id,
  epoch,
  node,
  keptAtMs,
  reason,
  files,
}: SalvageManifest): SalvageEntry {
  return {
    id,
    epoch,
    node,
    keptAt: new Date(keptAtMs).toISOString(),
    reason,
    files: files.map(({ volume, path, type, bytes, sha256, reason: why }) => ({
      volume,
      path,
      type,
      bytes,
      sha256,
      reason: why,
    })),
  };
}
