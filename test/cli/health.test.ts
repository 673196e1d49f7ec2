/** The verdict on a cluster: healthy only when it serves and could serve elsewhere. */

import t from 'tap';
import { judgeHealth, notesOf } from '../../src/cli/health.ts';
import type { ClusterReport, StatusReport } from '../../src/net/http/node-port.ts';
import {
  clusterReport,
  degradedCluster,
  leaderlessCluster,
  member,
  statusReport,
} from './reports.ts';

const service = statusReport().service;
const tenure = statusReport().tenure;
const journal = statusReport().journal;
const replication = statusReport().replication;

interface Case {
  readonly what: string;
  readonly status?: Partial<StatusReport>;
  readonly cluster?: ClusterReport;
  readonly exitCode: number;
  readonly reasons: readonly string[];
}

const CASES: readonly Case[] = [
  { what: 'all is well', exitCode: 0, reasons: [] },
  {
    what: 'nobody leads or serves',
    cluster: leaderlessCluster(),
    status: { role: 'secondary', tenure: { ...tenure, valid: false } },
    exitCode: 3,
    reasons: [
      'no member is primary',
      'no member leads a majority',
      'mail2 can not take over: has not answered for 30.0 s',
      'mail3 can not take over: has not answered for 30.0 s',
    ],
  },
  {
    what: 'a leader without a primary',
    cluster: clusterReport({ primary: null, members: [member('mail1')] }),
    status: { role: 'secondary', tenure: { ...tenure, valid: false } },
    exitCode: 3,
    reasons: ['no member is primary'],
  },
  {
    what: 'a primary that is remembered, but no leader',
    cluster: clusterReport({ leader: null }),
    exitCode: 3,
    reasons: ['no member leads a majority'],
  },
  {
    what: 'a member is away, and its connection too: told once',
    cluster: degradedCluster(),
    status: { peers: [{ id: 'mail3', isConnected: false, problem: 'refused', ageMs: null }] },
    exitCode: 1,
    reasons: ['mail3 can not take over: has not answered for 12.0 s'],
  },
  {
    what: 'a connection is missing to a member that others hear',
    status: { peers: [{ id: 'mail3', isConnected: false, problem: 'refused', ageMs: null }] },
    exitCode: 1,
    reasons: ['mail1 has no connection to mail3: refused'],
  },
  {
    what: 'the service of the primary starts',
    status: { service: { ...service, state: 'starting' } },
    exitCode: 1,
    reasons: ['the service of mail1 is starting'],
  },
  {
    what: 'the service of a secondary is stopped, as it should be',
    status: {
      role: 'secondary',
      tenure: { ...tenure, valid: false },
      service: { ...service, state: 'stopped', probes: [] },
    },
    exitCode: 0,
    reasons: [],
  },
  {
    what: 'a probe fails',
    status: {
      service: {
        ...service,
        probes: [{ name: 'smtp', verdict: 'failing', atMs: 1, text: 'no greeting' }],
      },
    },
    exitCode: 1,
    reasons: ['probe smtp is failing: no greeting'],
  },
  {
    what: 'the holder of the tenure is no primary, because a probe fails',
    cluster: clusterReport({ primary: null }),
    status: {
      role: 'secondary',
      service: { ...service, probes: [{ name: 'smtp', verdict: 'failing', atMs: 1, text: '' }] },
    },
    exitCode: 3,
    reasons: ['no member is primary', 'probe smtp is failing'],
  },
  {
    what: 'the address is not held',
    status: { address: [{ address: '10.77.0.100/24', held: false }] },
    exitCode: 1,
    reasons: ['mail1 does not hold 10.77.0.100/24'],
  },
  {
    what: 'the tenure of the primary has ended',
    status: { tenure: { ...tenure, valid: false } },
    exitCode: 1,
    reasons: ['the tenure of mail1 is not valid'],
  },
  {
    what: 'the asked node is stopped',
    status: { role: 'stopped' },
    exitCode: 1,
    reasons: ['mail1 is stopped'],
  },
  {
    what: 'paused',
    status: { paused: true },
    exitCode: 1,
    reasons: ['automatic failover is paused'],
  },
  {
    what: 'a warning about a lasting choice',
    status: { warnings: ['members talk without encryption'] },
    exitCode: 0,
    reasons: [],
  },
  {
    what: 'storage in trouble',
    status: {
      replication: { ...replication, problem: 'no watches left' },
      journal: { ...journal, damage: 'segment 4', hasSpace: false },
    },
    exitCode: 1,
    reasons: [
      'replication of mail1: no watches left',
      'the journal of mail1 is damaged: segment 4',
      'the journal of mail1 has no space',
    ],
  },
];

for (const { what, status, cluster, exitCode, reasons } of CASES) {
  t.test(`${what}: exit ${exitCode}`, async (t) => {
    const health = judgeHealth(statusReport(status), cluster ?? clusterReport());
    t.same(health, { exitCode, reasons });
  });
}

t.test('warnings that the verdict tells already are not told twice', async (t) => {
  const warnings = ['no watches left', 'members talk without encryption'];
  const problem = 'no watches left';
  const status = statusReport({ replication: { ...replication, problem }, warnings });
  const health = judgeHealth(status, clusterReport());
  t.same(health.reasons, ['replication of mail1: no watches left']);
  t.same(notesOf(status, health), ['members talk without encryption']);
});
