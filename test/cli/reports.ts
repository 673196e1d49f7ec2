/** Reports as a node of three gives them: all is well unless the test says otherwise. */

import type {
  ClusterReport,
  HistoryEntry,
  MemberReport,
  StatusReport,
} from '../../src/net/http/node-port.ts';

export function statusReport(changes: Partial<StatusReport> = {}): StatusReport {
  return {
    node: 'mail1',
    cluster: 'example',
    version: '0.1.0',
    role: 'primary',
    copies: 2,
    raft: {
      state: 'leader',
      term: 7,
      leader: 'mail1',
      commitIndex: 12_041,
      appliedIndex: 12_041,
      lastIndex: 12_041,
      firstIndex: 1,
    },
    tenure: {
      epoch: 7,
      valid: true,
      expiresInMs: 4210,
      phase: 'serving',
      waitsFor: null,
      protection: 'guardian',
    },
    service: {
      state: 'running',
      pid: 4242,
      crashes: 0,
      probes: [
        {
          name: 'smtp 10.77.0.100:25',
          verdict: 'passing',
          atMs: Date.now() - 310,
          text: '220 ready',
        },
      ],
    },
    address: [{ address: '10.77.0.100/24', held: true }],
    volumes: [
      {
        name: 'mail',
        path: '/srv/mail',
        files: 5021,
        bytes: 328_204_288,
        treeHash: '3f2a9c1b77d0e4aa90f1',
        treeHashIndex: 12_040,
        checkedIndex: 11_800,
        checkedAt: '2026-03-01T10:00:00.000Z',
        checkedFiles: 5010,
        dirty: 0,
        missing: 0,
      },
    ],
    replication: { mode: 'leading', problem: null, fetchedBytes: 0, overflows: 0, watched: 212 },
    journal: { bytes: 18_874_368, maxSizeBytes: 10_737_418_240, hasSpace: true, damage: null },
    salvage: { count: 0 },
    peers: [
      { id: 'mail2', isConnected: true, problem: null, ageMs: 80 },
      { id: 'mail3', isConnected: true, problem: null, ageMs: 95 },
    ],
    paused: false,
    warnings: [],
    ...changes,
  };
}

export function member(id: string, changes: Partial<MemberReport> = {}): MemberReport {
  return {
    id,
    address: `${id}.example:7400`,
    role: 'voter',
    incarnation: 'one',
    priority: 100,
    site: '',
    isSelf: false,
    isLeader: false,
    isPrimary: false,
    matchIndex: 12_041,
    lag: { entries: 0, bytes: 0, seconds: 0 },
    canBePrimary: true,
    eligible: true,
    reason: null,
    ageMs: 80,
    ...changes,
  };
}

export function clusterReport(changes: Partial<ClusterReport> = {}): ClusterReport {
  return {
    cluster: 'example',
    term: 7,
    leader: 'mail1',
    primary: 'mail1',
    members: [
      member('mail1', { isSelf: true, isLeader: true, isPrimary: true, ageMs: null }),
      member('mail2'),
      member('mail3'),
    ],
    ...changes,
  };
}

/** The third member is away. */
export function degradedCluster(): ClusterReport {
  const [first, second] = clusterReport().members;
  const third = member('mail3', {
    canBePrimary: true,
    eligible: false,
    reason: 'has not answered for 12.0 s',
    ageMs: 12_013,
    lag: { entries: 1204, bytes: 3_355_443, seconds: 11.8 },
  });
  return clusterReport({ members: [first, second, third].filter((one) => one !== undefined) });
}

/** Nobody leads, nobody serves. */
export function leaderlessCluster(): ClusterReport {
  const away = { eligible: false, reason: 'has not answered for 30.0 s', ageMs: 30_000 };
  return clusterReport({
    leader: null,
    primary: null,
    members: [member('mail1', { isSelf: true }), member('mail2', away), member('mail3', away)],
  });
}

export function historyEntry(epoch: number, changes: Partial<HistoryEntry> = {}): HistoryEntry {
  return {
    epoch,
    event: 'takeover',
    from: 'mail1',
    to: 'mail2',
    cause: 'switchover was asked for',
    at: `2026-03-01T10:00:${String(epoch % 60).padStart(2, '0')}.000Z`,
    phases: [
      { name: 'stop', ms: 1210 },
      { name: 'start', ms: 430 },
    ],
    ...changes,
  };
}
