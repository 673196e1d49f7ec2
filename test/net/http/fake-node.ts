/** A node whose every answer the test sets, with a server before it. */

import type { Test } from 'tap';
import { HttpServer } from '../../../src/net/http/http-server.ts';
import { NodeMetrics } from '../../../src/net/http/metrics.ts';
import type {
  ClusterReport,
  HistoryEntry,
  MemberChangeOptions,
  MemberChangeRequest,
  MetricsSnapshot,
  NodePort,
  NodeRole,
  PhaseReporter,
  ReadyCheck,
  SalvageEntry,
  StatusReport,
} from '../../../src/net/http/node-port.ts';

export const TOKEN = 'a-token-of-the-test-that-is-long-enough';

export const STATUS: StatusReport = {
  node: 'mail1',
  cluster: 'example',
  version: '0.1.0',
  role: 'primary',
  copies: 2,
  raft: {
    state: 'leader',
    term: 7,
    leader: 'mail1',
    commitIndex: 120_431,
    appliedIndex: 120_431,
    lastIndex: 120_433,
    firstIndex: 98_001,
  },
  tenure: {
    epoch: 7,
    valid: true,
    expiresInMs: 5_400,
    phase: 'serving',
    waitsFor: null,
    protection: 'lease',
  },
  service: {
    state: 'running',
    pid: 4_242,
    crashes: 0,
    probes: [
      { name: 'smtp 127.0.0.1:25', verdict: 'passing', atMs: 1_700_000_000_000, text: '220 ok' },
    ],
  },
  address: [{ address: '10.77.0.100/24', held: true }],
  volumes: [
    {
      name: 'mail',
      path: '/srv/mail',
      files: 5_210,
      bytes: 734_003_200,
      treeHash: '9f2c4f0e6c1d4b9a8d37e51c20f4aa61d0c2b7f98e6a4c1d5b3f7e2a90c4d8e1',
      treeHashIndex: 120_431,
      checkedIndex: 120_002,
      checkedAt: '2026-01-05T10:00:00.000Z',
      checkedFiles: 5_200,
      dirty: 2,
      missing: 0,
    },
  ],
  replication: {
    mode: 'leading',
    problem: null,
    fetchedBytes: 0,
    overflows: 0,
    watched: 212,
  },
  journal: { bytes: 41_943_040, maxSizeBytes: 10_737_418_240, hasSpace: true, damage: null },
  salvage: { count: 0 },
  peers: [
    { id: 'mail2', isConnected: true, problem: null, ageMs: 120 },
    { id: 'mail3', isConnected: false, problem: 'connect ECONNREFUSED', ageMs: 65_000 },
  ],
  paused: false,
  warnings: [],
};

export const CLUSTER: ClusterReport = {
  cluster: 'example',
  term: 7,
  leader: 'mail1',
  primary: 'mail1',
  members: [
    {
      id: 'mail1',
      address: '10.77.0.11:7400',
      role: 'voter',
      incarnation: 'one',
      priority: 100,
      site: 'tokyo',
      isSelf: true,
      isLeader: true,
      isPrimary: true,
      matchIndex: 120_433,
      lag: { entries: 0, bytes: 0, seconds: 0 },
      canBePrimary: true,
      eligible: true,
      reason: null,
      ageMs: 0,
    },
    {
      id: 'mail2',
      address: '10.77.0.12:7400',
      role: 'voter',
      incarnation: 'one',
      priority: 50,
      site: 'tokyo',
      isSelf: false,
      isLeader: false,
      isPrimary: false,
      matchIndex: 120_431,
      lag: { entries: 2, bytes: 40_960, seconds: 0.05 },
      canBePrimary: true,
      eligible: true,
      reason: null,
      ageMs: 120,
    },
    {
      id: 'mail3',
      address: '10.77.0.13:7400',
      role: 'voter',
      incarnation: 'one',
      priority: 10,
      site: 'osaka',
      isSelf: false,
      isLeader: false,
      isPrimary: false,
      matchIndex: 118_002,
      lag: { entries: 2_431, bytes: 52_428_800, seconds: 64.2 },
      canBePrimary: true,
      eligible: false,
      reason: 'does not answer',
      ageMs: 65_000,
    },
  ],
};

export const HISTORY: readonly HistoryEntry[] = [
  {
    epoch: 7,
    event: 'failover',
    from: 'mail2',
    to: 'mail1',
    cause: 'leadLost',
    at: '2026-01-05T09:12:31.412Z',
    phases: [
      { name: 'arming', ms: 41 },
      { name: 'opening', ms: 12.4 },
      { name: 'starting', ms: 612 },
    ],
  },
];

export const SALVAGE: readonly SalvageEntry[] = [
  {
    id: 'e6-mail1',
    epoch: 6,
    node: 'mail1',
    keptAt: '2026-01-05T09:12:40.000Z',
    reason: 'the cluster went on without them',
    files: [
      {
        volume: 'mail',
        path: 'new/1.eml',
        type: 'file',
        bytes: 12,
        sha256: '00',
        reason: 'replaced',
      },
    ],
  },
];

export const SNAPSHOT: MetricsSnapshot = {
  version: '0.1.0',
  role: 'primary',
  raftState: 'leader',
  term: 7,
  commitIndex: 120_431,
  copies: 2,
  leaderChanges: 0,
  tenureExpirySeconds: 1_700_000_005.4,
  tenureRenewalFailures: 0,
  isServiceUp: true,
  addresses: [{ address: '10.77.0.100/24', held: true }],
  addressAnnouncements: 5,
  isGuardianConnected: true,
  probeFailures: [{ probe: 'smtp 127.0.0.1:25', count: 0 }],
  failovers: [
    { kind: 'switchover', count: 1 },
    { kind: 'service', count: 0 },
  ],
  peers: [
    {
      peer: 'mail2',
      lastContactSeconds: 1_700_000_000,
      lagEntries: 2,
      lagBytes: 40_960,
      lastAppliedSeconds: 1_700_000_000,
      resyncRemainingBytes: 0,
    },
    {
      peer: 'mail3',
      lastContactSeconds: null,
      lagEntries: 2_431,
      lagBytes: 52_428_800,
      lastAppliedSeconds: null,
      resyncRemainingBytes: 1_000,
    },
  ],
  captureQueueLength: 3,
  captureOverflows: 0,
  salvageFiles: 1,
  driftFiles: 0,
  isPaused: false,
  protection: 'lease',
  eventLoopLagSeconds: 0.001,
};

export class FakeNode implements NodePort {
  isPrimary = true;
  isLeader = true;
  isSecondary = false;
  term = 7;
  role: NodeRole = 'primary';
  statusReport: StatusReport = STATUS;
  clusterReport: ClusterReport = CLUSTER;
  historyEntries: readonly HistoryEntry[] = HISTORY;
  checks: readonly ReadyCheck[] = [{ name: 'leader', ok: true, text: 'mail1 leads' }];
  readonly asked: { readonly to: string | undefined; readonly dryRun: boolean }[] = [];
  onSwitchover: (report: PhaseReporter) => Promise<unknown> = async () => ({ to: 'mail2' });
  readonly changes: (MemberChangeRequest & MemberChangeOptions)[] = [];
  onChange: (report: PhaseReporter) => Promise<unknown> = async () => ({
    done: 'it is',
    warnings: [],
  });
  onBarrier: (report: PhaseReporter) => Promise<{ index: number; copies: number }> = async () => ({
    index: 12,
    copies: 3,
  });

  status(): StatusReport {
    return this.statusReport;
  }

  cluster(): ClusterReport {
    return this.clusterReport;
  }

  history(): readonly HistoryEntry[] {
    return this.historyEntries;
  }

  async salvage(): Promise<readonly SalvageEntry[]> {
    return SALVAGE;
  }

  ready(): readonly ReadyCheck[] {
    return this.checks;
  }

  switchover(
    request: { readonly to: string | undefined; readonly dryRun: boolean },
    report: PhaseReporter,
  ): Promise<unknown> {
    this.asked.push(request);
    return this.onSwitchover(report);
  }

  changeMembers(
    request: MemberChangeRequest,
    options: MemberChangeOptions,
    report: PhaseReporter,
  ): Promise<unknown> {
    this.changes.push({ ...request, ...options });
    return this.onChange(report);
  }

  barrier(report: PhaseReporter): Promise<{ readonly index: number; readonly copies: number }> {
    return this.onBarrier(report);
  }
}

export interface Served {
  readonly node: FakeNode;
  readonly server: HttpServer;
  /** Root of its addresses; only once started. */
  readonly url: string;
}

/** A server on a port of its own, not started; `start` for real sockets. */
export function serve(t: Test): { readonly node: FakeNode; readonly server: HttpServer } {
  const node = new FakeNode();
  const server = new HttpServer({
    listen: { host: '127.0.0.1', port: 0 },
    token: TOKEN,
    node,
    metrics: new NodeMetrics(() => SNAPSHOT),
  });
  t.teardown(() => server.close());
  return { node, server };
}

export async function serveOnPort(t: Test): Promise<Served> {
  const { node, server } = serve(t);
  await server.start();
  return { node, server, url: `http://127.0.0.1:${server.port}` };
}

export const AUTHORIZED: Readonly<Record<string, string>> = { authorization: `Bearer ${TOKEN}` };
