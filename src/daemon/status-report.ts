/** What a node says of itself: `GET /status`, readiness, and the metrics' snapshot. */

import type { RaftHost } from '../consensus/host/raft-host.ts';
import type { Journal } from '../journal/journal.ts';
import type {
  MetricsSnapshot,
  NodeRole,
  PeerReport,
  ReadyCheck,
  StatusReport,
  VolumeReport,
} from '../net/http/node-port.ts';
import { copiesOf } from './copies.ts';
import { staleText } from './knowledge.ts';
import { placeOf } from './members/roster.ts';
import type { NodeParts, Running } from './node-parts.ts';

/** The role under which others know this node. */
export function roleOf(parts: NodeParts): NodeRole {
  const { running, failure } = parts;
  if (failure !== undefined) return 'stopped';
  if (running === undefined) return 'joining';
  if (isPrimary(parts)) return 'primary';
  if (!running.replication.status.state.isBaselined) return 'joining';
  const own = parts.roster.self;
  return own === undefined ? 'stopped' : placeOf(parts.roster, own);
}

/** Only while the tenure is valid, the addresses are held and the probes pass. */
export function isPrimary({ running, guardian, probes }: NodeParts): boolean {
  if (running?.member.serves !== true || probes.verdict !== 'passing') return false;
  const isRunning = guardian.service.state === 'running';
  return isRunning && guardian.addresses.every(({ held }) => held);
}

export function statusReport(parts: NodeParts): StatusReport {
  const { config, version, guardian, probes, running } = parts;
  return {
    node: config.node.id,
    cluster: config.cluster,
    version,
    role: roleOf(parts),
    raft: raftReport(running?.member.host, running?.member.files.appliedIndex ?? 0),
    copies: copiesOf(running?.member.host.membership),
    tenure: tenureReport(parts),
    service: {
      state: guardian.service.state,
      pid: guardian.service.pid ?? null,
      crashes: guardian.service.crashes,
      probes: probes.reports,
    },
    address: guardian.addresses.map(({ address, held }) => ({ address, held })),
    volumes: volumeReports(parts),
    replication: replicationReport(running),
    journal: {
      bytes: running?.journal.bytes ?? 0,
      maxSizeBytes: config.journal.maxSizeBytes,
      hasSpace: running?.member.hasSpace ?? true,
      // Until the node has everything again; then it is a matter of the past.
      damage: damageText(running?.member.host, running?.journal),
    },
    salvage: { count: running?.replication.status.salvageFiles ?? 0 },
    peers: peerReports(parts),
    paused: false,
    warnings: warningsOf(parts),
  };
}

/** What the journal has not got over yet. */
export function damageText(
  host: RaftHost | undefined,
  journal: Pick<Journal, 'damage'> | undefined,
): string | null {
  if (host?.isMuted !== true) return null;
  return journal?.damage?.reason ?? 'it lacks entries that this node had acknowledged';
}

export function raftReport(host: RaftHost | undefined, appliedIndex: number): StatusReport['raft'] {
  if (host === undefined) {
    const nothing = { commitIndex: 0, appliedIndex: 0, lastIndex: 0, firstIndex: 1 };
    return { state: 'follower', term: 0, leader: null, ...nothing };
  }
  const { role, term, leader } = host.standing;
  const { commit, lastIndex, firstIndex } = host.status;
  return {
    state: role,
    term,
    leader: leader === '' ? null : leader,
    commitIndex: commit,
    appliedIndex,
    lastIndex,
    firstIndex,
  };
}

function tenureReport({ running, guardian, nowMs }: NodeParts): StatusReport['tenure'] {
  const { protection } = guardian;
  if (running === undefined) {
    const phase = 'secondary';
    return { epoch: 0, valid: false, expiresInMs: 0, phase, waitsFor: null, protection };
  }
  const { member, replication } = running;
  const { life } = member;
  const leftMs = Math.max(0, member.host.leaseEndMs - nowMs());
  const isHolder = !['secondary', 'elected', 'arming', 'fencing'].includes(life.phase);
  return {
    epoch: replication.status.state.tenure?.record.term ?? 0,
    valid: isHolder && leftMs > 0,
    expiresInMs: isHolder ? Math.round(leftMs) : 0,
    phase: life.phase,
    waitsFor: member.waitsFor ?? null,
    protection,
  };
}

function volumeReports({ config, running }: NodeParts): VolumeReport[] {
  const status = running?.replication.status;
  return config.volumes.map(({ name, path }, at) => {
    const volume = status?.volumes[at];
    const checked = status?.checked;
    return {
      name,
      path,
      files: volume?.files ?? 0,
      bytes: volume?.bytes ?? 0,
      treeHash: volume?.treeHash ?? '',
      treeHashIndex: status?.treeHashIndex ?? 0,
      checkedIndex: checked?.index ?? 0,
      checkedAt: (checked?.atMs ?? 0) > 0 ? new Date(checked?.atMs ?? 0).toISOString() : null,
      checkedFiles: checked?.files ?? 0,
      // What capture saw and did not commit yet is not divided by volume.
      dirty: (status?.dirty ?? 0) + (status?.underWay ?? 0),
      missing: volume?.missing ?? 0,
    };
  });
}

function replicationReport(running: Running | undefined): StatusReport['replication'] {
  const status = running?.replication.status;
  return {
    mode: status?.mode ?? 'awaitingBaseline',
    problem: status?.problem ?? null,
    fetchedBytes: status?.fetchedBytes ?? 0,
    overflows: status?.overflows ?? 0,
    watched: status?.watched ?? 0,
  };
}

/** What is known of the connections to the others, at any node. */
export type PeerParts = Pick<NodeParts, 'config' | 'roster' | 'transport' | 'peers' | 'nowMs'>;

export function peerReports({ roster, transport, peers, nowMs }: PeerParts): PeerReport[] {
  return roster.others.map(({ id }) => {
    const heard = peers.find(id);
    return {
      id,
      isConnected: transport.isConnected(id),
      problem: transport.problemOf(id) ?? peers.problemOf(id) ?? null,
      ageMs: heard === undefined ? null : Math.round(nowMs() - heard.heardAtMs),
    };
  });
}

function warningsOf(parts: NodeParts): string[] {
  const { config, running, guardian, absence, failure } = parts;
  const status = running?.replication.status;
  const found = [
    failure?.message,
    absence,
    status?.problem,
    status?.lacksRoom,
    running?.member.hasSpace === false ? 'the journal has no space' : undefined,
    running?.member.isMuted === true
      ? 'the journal was damaged; this node votes again once it has everything'
      : undefined,
    running?.member.host.isStorageStalled === true ? 'the disk stalls' : undefined,
    staleness(parts),
    ...guardian.addresses.map(({ address, problem }) =>
      problem === undefined ? undefined : `${address}: ${problem}`,
    ),
    guardian.isConnected ? undefined : 'the guardian is not there',
    ...config.warnings,
  ];
  return [...new Set(found)].filter((text) => text !== undefined);
}

/** In words, why this node can not lead while nobody does. */
export function staleness({
  config,
  roster,
  running,
  peers,
}: Pick<NodeParts, 'config' | 'roster' | 'running' | 'peers'>): string | undefined {
  if (running === undefined) return undefined;
  const others = roster.others.map(({ id }) => id);
  return staleText(config.node.id, running.member.host, others, peers);
}

/** The checks of `GET /readyz`: this node takes part and has everything. */
export function readyChecks(parts: NodeParts): ReadyCheck[] {
  const { running, guardian } = parts;
  const status = running?.replication.status;
  const leader = running?.member.host.standing.leader ?? '';
  const isWhole = status?.mode === 'following' || status?.mode === 'leading';
  return [
    check('founded', running !== undefined, parts.absence ?? 'the cluster is founded'),
    check('leader', leader !== '', leader === '' ? 'no leader is known' : `${leader} leads`),
    check('files', isWhole, filesText(status)),
    check('missing', (status?.missing ?? 0) === 0, `${status?.missing ?? 0} files are missing`),
    check('journal', running?.member.hasSpace !== false, 'space for the journal'),
    check('votes', running?.member.isMuted !== true, 'the journal has all that it had'),
    check('member', parts.roster.self !== undefined, 'the cluster lists this node'),
    check('guardian', guardian.isConnected, 'the guardian answers'),
  ];
}

function filesText(status: Running['replication']['status'] | undefined): string {
  if (status === undefined) return 'replication is not running';
  const { mode, problem } = status;
  return problem === undefined ? `replication is ${mode}` : `replication is ${mode}: ${problem}`;
}

function check(name: string, ok: boolean, text: string): ReadyCheck {
  return { name, ok, text };
}

export function metricsSnapshot(parts: NodeParts): MetricsSnapshot {
  const { running, guardian, probes, counts, version } = parts;
  const status = running?.replication.status;
  const member = running?.member;
  const expiresInMs = tenureReport(parts).expiresInMs;
  return {
    version,
    role: roleOf(parts),
    raftState: member?.host.standing.role ?? 'follower',
    term: member?.host.standing.term ?? 0,
    commitIndex: member?.host.status.commit ?? 0,
    copies: copiesOf(member?.host.membership),
    leaderChanges: counts.leaderChanges,
    tenureExpirySeconds: expiresInMs > 0 ? (Date.now() + expiresInMs) / 1000 : null,
    tenureRenewalFailures: counts.renewalFailures,
    isServiceUp: isPrimary(parts),
    addresses: guardian.addresses.map(({ address, held }) => ({ address, held })),
    addressAnnouncements: guardian.announcements,
    isGuardianConnected: guardian.isConnected,
    probeFailures: probes.failureCounts,
    failovers: [...counts.failovers].map(([kind, count]) => ({ kind, count })),
    peers: peerMetrics(parts),
    captureQueueLength: status?.dirty ?? 0,
    captureOverflows: status?.overflows ?? 0,
    salvageFiles: status?.salvageFiles ?? 0,
    driftFiles: counts.driftFiles,
    isPaused: false,
    protection: guardian.protection,
    eventLoopLagSeconds: counts.eventLoopLagSeconds,
  };
}

function peerMetrics({ roster, peers, running, nowMs }: NodeParts): MetricsSnapshot['peers'] {
  const progress = running?.member.host.progress() ?? [];
  const lastIndex = running?.member.host.status.lastIndex ?? 0;
  return roster.others.map(({ id }) => {
    const match = progress.find((one) => one.id === id)?.match ?? 0;
    const lag = running?.member.lags.lag(match, lastIndex, nowMs());
    const heard = peers.find(id);
    const heardSeconds =
      heard === undefined ? null : (Date.now() - (nowMs() - heard.heardAtMs)) / 1000;
    const isLevel = heard !== undefined && heard.brief.missing === 0;
    return {
      peer: id,
      lastContactSeconds: heardSeconds,
      lagEntries: lag?.entries ?? 0,
      lagBytes: lag?.bytes ?? 0,
      lastAppliedSeconds: isLevel && lag !== undefined ? Date.now() / 1000 - lag.seconds : null,
      // Nothing where nothing lacks; how much lacks during a fetch no member tells.
      resyncRemainingBytes: isLevel && heard.brief.mode !== 'resyncing' ? 0 : null,
    };
  });
}
