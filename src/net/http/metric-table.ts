/**
 * The gauges and counters of a node: for each its name, its help and how its
 * samples are read from a snapshot. Durations are in `metrics.ts`.
 *
 * Names are depended on from outside. Times are moments, not ages; what never
 * happened is at 0, so that an alert on its age fires.
 */

import type { MetricsSnapshot } from './node-port.ts';
import type { ProcessFigures } from './process-figures.ts';

type Labels = Readonly<Record<string, string>>;

interface Sample {
  readonly labels?: Labels;
  readonly value: number;
}

export interface MetricRow {
  readonly type: 'gauge' | 'counter';
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  samples(snapshot: MetricsSnapshot): number | boolean | readonly Sample[];
}

/** Every state has a series, also those that the node is not in. */
const ROLES: readonly MetricsSnapshot['role'][] = [
  'primary',
  'secondary',
  'replica',
  'dr',
  'witness',
  'joining',
  'stopped',
];
const RAFT_STATES: readonly MetricsSnapshot['raftState'][] = [
  'follower',
  'preCandidate',
  'candidate',
  'leader',
];
const PROTECTION_LEVELS: readonly string[] = ['weak', 'lease', 'lease+watchdog', 'lease+fence'];

export const NODE_METRICS: readonly MetricRow[] = [
  {
    type: 'gauge',
    name: 'mailraft_build_info',
    help: 'Always 1; the version is a label.',
    labels: ['version'],
    samples: ({ version }) => [{ labels: { version }, value: 1 }],
  },
  {
    type: 'gauge',
    name: 'mailraft_role',
    help: 'What the node is to the service; 1 for the role that it has.',
    labels: ['role'],
    samples: ({ role }) => oneOf('role', ROLES, role),
  },
  {
    type: 'gauge',
    name: 'mailraft_raft_state',
    help: 'Standing of the node in its Raft group; 1 for the state that it is in.',
    labels: ['state'],
    samples: ({ raftState }) => oneOf('state', RAFT_STATES, raftState),
  },
  {
    type: 'gauge',
    name: 'mailraft_raft_term',
    help: 'Newest Raft term that the node knows.',
    samples: ({ term }) => term,
  },
  {
    type: 'gauge',
    name: 'mailraft_raft_commit_index',
    help: 'Index of the newest journal entry known to be committed.',
    samples: ({ commitIndex }) => commitIndex,
  },
  {
    type: 'gauge',
    name: 'mailraft_copies',
    help: 'Disks that surely hold everything that is committed; 0 when it is not known.',
    samples: ({ copies }) => copies,
  },
  {
    type: 'counter',
    name: 'mailraft_raft_leader_changes_total',
    help: 'How often the node saw another leader than before.',
    samples: ({ leaderChanges }) => leaderChanges,
  },
  {
    type: 'gauge',
    name: 'mailraft_peer_last_contact_timestamp_seconds',
    help: 'When a peer was last heard of, since 1970; 0 for never.',
    labels: ['peer'],
    samples: (snapshot) => ofPeers(snapshot, ({ lastContactSeconds }) => lastContactSeconds ?? 0),
  },
  {
    type: 'gauge',
    name: 'mailraft_tenure_expiry_timestamp_seconds',
    help: 'When the tenure ends unless it is renewed, since 1970; 0 without one.',
    samples: ({ tenureExpirySeconds }) => tenureExpirySeconds ?? 0,
  },
  {
    type: 'counter',
    name: 'mailraft_tenure_renewal_failures_total',
    help: 'Renewals of the tenure that were refused or not answered.',
    samples: ({ tenureRenewalFailures }) => tenureRenewalFailures,
  },
  {
    type: 'gauge',
    name: 'mailraft_protection_level',
    help: 'What ends a tenure when this machine misbehaves; 1 for the level in force.',
    labels: ['level'],
    samples: ({ protection }) => oneOf('level', PROTECTION_LEVELS, protection),
  },
  {
    type: 'gauge',
    name: 'mailraft_service_up',
    help: '1 while the service runs on this node.',
    samples: ({ isServiceUp }) => isServiceUp,
  },
  {
    type: 'counter',
    name: 'mailraft_probe_failures_total',
    help: 'Failed looks of a probe at the service.',
    labels: ['probe'],
    samples: ({ probeFailures }) =>
      probeFailures.map(({ probe, count }) => ({ labels: { probe }, value: count })),
  },
  {
    type: 'gauge',
    name: 'mailraft_address_held',
    help: '1 while the node holds the shared address.',
    labels: ['address'],
    samples: ({ addresses }) =>
      addresses.map(({ address, held }) => ({ labels: { address }, value: Number(held) })),
  },
  {
    type: 'counter',
    name: 'mailraft_address_announcements_total',
    help: 'Announcements of shared addresses that were sent.',
    samples: ({ addressAnnouncements }) => addressAnnouncements,
  },
  {
    type: 'gauge',
    name: 'mailraft_guardian_connected',
    help: '1 while the guardian answers.',
    samples: ({ isGuardianConnected }) => isGuardianConnected,
  },
  {
    type: 'counter',
    name: 'mailraft_failovers_total',
    help: 'Changes of the primary that the node saw, by kind.',
    labels: ['kind'],
    samples: ({ failovers }) =>
      failovers.map(({ kind, count }) => ({ labels: { kind }, value: count })),
  },
  {
    type: 'gauge',
    name: 'mailraft_replication_lag_entries',
    help: 'Journal entries that a peer still has to get.',
    labels: ['peer'],
    samples: (snapshot) => ofPeers(snapshot, ({ lagEntries }) => lagEntries),
  },
  {
    type: 'gauge',
    name: 'mailraft_replication_lag_bytes',
    help: 'Journal bytes that a peer still has to get.',
    labels: ['peer'],
    samples: (snapshot) => ofPeers(snapshot, ({ lagBytes }) => lagBytes),
  },
  {
    type: 'gauge',
    name: 'mailraft_replication_last_applied_timestamp_seconds',
    help: 'When a peer last applied an entry to its files, since 1970; 0 for never.',
    labels: ['peer'],
    samples: (snapshot) => ofPeers(snapshot, ({ lastAppliedSeconds }) => lastAppliedSeconds ?? 0),
  },
  {
    type: 'gauge',
    name: 'mailraft_resync_remaining_bytes',
    help: 'Bytes that a peer still has to fetch; none while a fetch is under way, when it is not known.',
    labels: ['peer'],
    samples: (snapshot) => ofPeers(snapshot, ({ resyncRemainingBytes }) => resyncRemainingBytes),
  },
  {
    type: 'gauge',
    name: 'mailraft_capture_queue_length',
    help: 'Changed paths that are not proposed yet.',
    samples: ({ captureQueueLength }) => captureQueueLength,
  },
  {
    type: 'counter',
    name: 'mailraft_capture_overflows_total',
    help: 'How often the kernel dropped events, so that volumes were scanned again.',
    samples: ({ captureOverflows }) => captureOverflows,
  },
  {
    type: 'gauge',
    name: 'mailraft_salvage_files',
    help: 'Files kept aside because the cluster went on without them.',
    samples: ({ salvageFiles }) => salvageFiles,
  },
  {
    type: 'counter',
    name: 'mailraft_drift_files_total',
    help: 'Files found changed on a node that must not change them.',
    samples: ({ driftFiles }) => driftFiles,
  },
  {
    type: 'gauge',
    name: 'mailraft_paused',
    help: '1 while automatic failover is paused.',
    samples: ({ isPaused }) => isPaused,
  },
  {
    type: 'gauge',
    name: 'mailraft_eventloop_lag_seconds',
    help: 'How late the event loop of the node runs.',
    samples: ({ eventLoopLagSeconds }) => eventLoopLagSeconds,
  },
];

/** The process itself, under the names that every exporter uses. */
export const PROCESS_METRICS: readonly (Omit<MetricRow, 'samples' | 'labels'> & {
  readonly figure: keyof ProcessFigures;
})[] = [
  {
    type: 'counter',
    name: 'process_cpu_seconds_total',
    help: 'Processor time spent, in seconds.',
    figure: 'cpuSeconds',
  },
  {
    type: 'gauge',
    name: 'process_resident_memory_bytes',
    help: 'Memory in use, in bytes.',
    figure: 'residentBytes',
  },
  {
    type: 'gauge',
    name: 'process_start_time_seconds',
    help: 'When the process started, since 1970.',
    figure: 'startSeconds',
  },
  {
    type: 'gauge',
    name: 'process_open_fds',
    help: 'Open file descriptors.',
    figure: 'openFiles',
  },
];

function oneOf(label: string, known: readonly string[], current: string): readonly Sample[] {
  const states = known.includes(current) ? known : [...known, current];
  return states.map((state) => ({
    labels: { [label]: state },
    value: Number(state === current),
  }));
}

function ofPeers(
  { peers }: MetricsSnapshot,
  read: (peer: MetricsSnapshot['peers'][number]) => number | null,
): readonly Sample[] {
  return peers.flatMap((peer) => {
    const value = read(peer);
    // What is not known is no number, least of all 0.
    return value === null ? [] : [{ labels: { peer: peer.peer }, value }];
  });
}
