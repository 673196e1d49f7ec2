/** What a witness says of itself and of its cluster. */

import type {
  ClusterReport,
  MemberReport,
  MetricsSnapshot,
  NodeRole,
  ReadyCheck,
  StatusReport,
} from '../../net/http/node-port.ts';
import { NO_DATA } from '../cluster-report.ts';
import { copiesOf } from '../copies.ts';
import type { RosterMember } from '../members/roster.ts';
import type { NodeCounts } from '../node-parts.ts';
import type { PeerWatch } from '../peer-watch.ts';
import { damageText, type PeerParts, peerReports, raftReport } from '../status-report.ts';
import type { OpenWitness } from './open-witness.ts';

export interface WitnessParts extends PeerParts {
  readonly version: string;
  readonly counts: NodeCounts;
  /** Undefined until the cluster is founded. */
  readonly running: OpenWitness | undefined;
  /** Why it takes no part in the cluster, in words. */
  readonly absence: string | undefined;
  readonly failure: Error | undefined;
}

/** There is no service here that could be protected. */
const NO_PROTECTION = 'none';

export function witnessRole({ running, failure }: WitnessParts): NodeRole {
  if (failure !== undefined) return 'stopped';
  return running === undefined ? 'joining' : 'witness';
}

export function witnessStatus(parts: WitnessParts): StatusReport {
  const { config, version, running } = parts;
  const tenure = { epoch: 0, valid: false, expiresInMs: 0, waitsFor: null };
  return {
    node: config.node.id,
    cluster: config.cluster,
    version,
    role: witnessRole(parts),
    raft: raftReport(running?.member.host, running?.member.host.status.applied ?? 0),
    copies: copiesOf(running?.member.host.membership),
    tenure: { ...tenure, phase: 'witness', protection: NO_PROTECTION },
    service: { state: 'none', pid: null, crashes: 0, probes: [] },
    address: [],
    volumes: [],
    replication: { mode: 'witness', problem: null, fetchedBytes: 0, overflows: 0, watched: 0 },
    journal: {
      bytes: running?.journal.bytes ?? 0,
      maxSizeBytes: config.journal.maxSizeBytes,
      hasSpace: running?.member.hasSpace ?? true,
      damage: damageText(running?.member.host, running?.journal),
    },
    salvage: { count: 0 },
    peers: peerReports(parts),
    paused: false,
    warnings: warningsOf(parts),
  };
}

function warningsOf({ config, running, absence, failure }: WitnessParts): string[] {
  const host = running?.member.host;
  const found = [
    failure?.message,
    absence,
    running?.member.hasSpace === false ? 'the journal has no space' : undefined,
    host?.isMuted === true
      ? 'the journal was damaged; this node votes again once it has everything'
      : undefined,
    host?.isStorageStalled === true ? 'the disk stalls' : undefined,
    ...config.warnings,
  ];
  return found.filter((text) => text !== undefined);
}

export function witnessCluster(parts: WitnessParts): ClusterReport {
  const { config, roster, running, peers } = parts;
  const { term = 0, leader = '' } = running?.member.host.standing ?? {};
  const serving = roster.members.find(({ id }) => peers.findFresh(id)?.serves === true);
  return {
    cluster: config.cluster,
    term,
    leader: leader === '' ? null : leader,
    primary: serving?.id ?? null,
    members: roster.members.map((member) => memberReport(parts, member)),
  };
}

function memberReport(parts: WitnessParts, member: RosterMember): MemberReport {
  const { config, running, peers, nowMs } = parts;
  const { id, address, standing, priority, site, incarnation } = member;
  const isSelf = id === config.node.id;
  const heard = peers.find(id);
  const reason = isSelf ? NO_DATA : reasonAgainst(peers, id);
  const host = running?.member.host;
  return {
    id,
    address,
    role: standing,
    incarnation,
    priority,
    site,
    isSelf,
    isLeader: host?.standing.leader === id,
    isPrimary: peers.findFresh(id)?.serves === true,
    matchIndex: isSelf ? (host?.status.lastIndex ?? 0) : (heard?.brief.applied ?? 0),
    lag: { entries: 0, bytes: 0, seconds: 0 },
    canBePrimary: member.canBePrimary && standing === 'voter',
    eligible: reason === null,
    reason,
    ageMs: isSelf ? 0 : heard === undefined ? null : Math.round(nowMs() - heard.heardAtMs),
  };
}

function reasonAgainst(peers: PeerWatch, id: string): string | null {
  const brief = peers.findFresh(id);
  if (brief === undefined) return 'it does not answer';
  if (brief.serves || brief.canServe) return null;
  return brief.obstacle === '' ? `its replication is ${brief.mode}` : brief.obstacle;
}

export function witnessChecks({ running, absence }: WitnessParts): ReadyCheck[] {
  const leader = running?.member.host.standing.leader ?? '';
  const check = (name: string, ok: boolean, text: string): ReadyCheck => ({ name, ok, text });
  return [
    check('founded', running !== undefined, absence ?? 'the cluster is founded'),
    check('leader', leader !== '', leader === '' ? 'no leader is known' : `${leader} leads`),
    check('journal', running?.member.hasSpace !== false, 'space for the journal'),
    check('votes', running?.member.host.isMuted !== true, 'the journal has all that it had'),
  ];
}

export function witnessMetrics(parts: WitnessParts): MetricsSnapshot {
  const { running, counts, version, peers, roster, nowMs } = parts;
  const host = running?.member.host;
  return {
    version,
    role: witnessRole(parts),
    raftState: host?.standing.role ?? 'follower',
    term: host?.standing.term ?? 0,
    commitIndex: host?.status.commit ?? 0,
    copies: copiesOf(host?.membership),
    leaderChanges: counts.leaderChanges,
    tenureExpirySeconds: null,
    tenureRenewalFailures: 0,
    isServiceUp: false,
    addresses: [],
    addressAnnouncements: 0,
    isGuardianConnected: false,
    probeFailures: [],
    failovers: [...counts.failovers].map(([kind, count]) => ({ kind, count })),
    peers: roster.others.map(({ id }) => {
      const heard = peers.find(id);
      const ageMs = heard === undefined ? undefined : nowMs() - heard.heardAtMs;
      return {
        peer: id,
        lastContactSeconds: ageMs === undefined ? null : (Date.now() - ageMs) / 1000,
        lagEntries: 0,
        lagBytes: 0,
        lastAppliedSeconds: null,
        resyncRemainingBytes: null,
      };
    }),
    captureQueueLength: 0,
    captureOverflows: 0,
    salvageFiles: 0,
    driftFiles: 0,
    isPaused: false,
    protection: NO_PROTECTION,
    eventLoopLagSeconds: counts.eventLoopLagSeconds,
  };
}
