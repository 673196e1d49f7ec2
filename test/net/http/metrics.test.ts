/** The figures of a node: every promised name, true values, and what the linter accepts. */

import { spawnSync } from 'node:child_process';
import t from 'tap';
import { NodeMetrics } from '../../../src/net/http/metrics.ts';
import { SNAPSHOT, serve } from './fake-node.ts';

/** Name, type and labels that dashboards and alerts rely on. */
const PROMISED = [
  ['mailraft_build_info', 'gauge', 'version'],
  ['mailraft_role', 'gauge', 'role'],
  ['mailraft_raft_state', 'gauge', 'state'],
  ['mailraft_raft_term', 'gauge', ''],
  ['mailraft_raft_commit_index', 'gauge', ''],
  ['mailraft_raft_leader_changes_total', 'counter', ''],
  ['mailraft_journal_fsync_duration_seconds', 'histogram', ''],
  ['mailraft_peer_last_contact_timestamp_seconds', 'gauge', 'peer'],
  ['mailraft_tenure_expiry_timestamp_seconds', 'gauge', ''],
  ['mailraft_tenure_renewal_failures_total', 'counter', ''],
  ['mailraft_protection_level', 'gauge', 'level'],
  ['mailraft_service_up', 'gauge', ''],
  ['mailraft_probe_failures_total', 'counter', 'probe'],
  ['mailraft_address_held', 'gauge', 'address'],
  ['mailraft_address_announcements_total', 'counter', ''],
  ['mailraft_guardian_connected', 'gauge', ''],
  ['mailraft_failovers_total', 'counter', 'kind'],
  ['mailraft_failover_phase_duration_seconds', 'histogram', 'phase'],
  ['mailraft_replication_lag_entries', 'gauge', 'peer'],
  ['mailraft_replication_lag_bytes', 'gauge', 'peer'],
  ['mailraft_replication_last_applied_timestamp_seconds', 'gauge', 'peer'],
  ['mailraft_capture_queue_length', 'gauge', ''],
  ['mailraft_capture_overflows_total', 'counter', ''],
  ['mailraft_commit_duration_seconds', 'histogram', ''],
  ['mailraft_resync_remaining_bytes', 'gauge', 'peer'],
  ['mailraft_salvage_files', 'gauge', ''],
  ['mailraft_drift_files_total', 'counter', ''],
  ['mailraft_paused', 'gauge', ''],
  ['mailraft_eventloop_lag_seconds', 'gauge', ''],
] as const;

t.test('every promised metric is there, with its type and label', async (t) => {
  const metrics = new NodeMetrics(() => SNAPSHOT);
  metrics.observePhase('arming', 0.04);
  const lines = (await metrics.text()).split('\n');
  for (const [name, type, label] of PROMISED) {
    t.ok(lines.includes(`# TYPE ${name} ${type}`), `${name} is a ${type}`);
    const series = new RegExp(`^${name}(_bucket)?${label === '' ? '' : `\\{.*${label}="`}`);
    t.ok(
      lines.some((line) => series.test(line)),
      `${name} has a series${label === '' ? '' : ` with ${label}`}`,
    );
  }
});

t.test('values are those of the snapshot, of this very scrape', async (t) => {
  let snapshot = SNAPSHOT;
  const metrics = new NodeMetrics(() => snapshot);
  const scrape = async () => new Set((await metrics.text()).split('\n'));

  const before = await scrape();
  for (const line of [
    'mailraft_role{role="primary"} 1',
    'mailraft_role{role="secondary"} 0',
    'mailraft_role{role="joining"} 0',
    'mailraft_raft_state{state="leader"} 1',
    'mailraft_raft_state{state="preCandidate"} 0',
    'mailraft_protection_level{level="lease"} 1',
    'mailraft_protection_level{level="lease+fence"} 0',
    'mailraft_raft_leader_changes_total 0',
    'mailraft_drift_files_total 0',
    'mailraft_failovers_total{kind="switchover"} 1',
    'mailraft_failovers_total{kind="service"} 0',
    'mailraft_address_held{address="10.77.0.100/24"} 1',
    'mailraft_peer_last_contact_timestamp_seconds{peer="mail3"} 0',
    'mailraft_replication_lag_bytes{peer="mail3"} 52428800',
    'mailraft_tenure_expiry_timestamp_seconds 1700000005.4',
    'mailraft_journal_fsync_duration_seconds_count 0',
  ]) {
    t.ok(before.has(line), line);
  }

  snapshot = {
    ...SNAPSHOT,
    role: 'stopped',
    raftState: 'follower',
    protection: 'something else',
    leaderChanges: 4,
    tenureExpirySeconds: null,
    peers: SNAPSHOT.peers.slice(1),
  };
  metrics.observeFsync(0.003);
  metrics.observeCommit(0.2);
  const after = await scrape();
  for (const line of [
    'mailraft_role{role="primary"} 0',
    'mailraft_role{role="stopped"} 1',
    'mailraft_protection_level{level="lease"} 0',
    'mailraft_protection_level{level="something else"} 1',
    'mailraft_raft_leader_changes_total 4',
    'mailraft_tenure_expiry_timestamp_seconds 0',
    'mailraft_journal_fsync_duration_seconds_bucket{le="0.005"} 1',
    'mailraft_journal_fsync_duration_seconds_bucket{le="0.002"} 0',
    'mailraft_commit_duration_seconds_count 1',
  ]) {
    t.ok(after.has(line), line);
  }
  t.notMatch([...after].join('\n'), /peer="mail2"/, 'a peer that left is gone');
  t.ok((await scrape()).has('mailraft_raft_leader_changes_total 4'), 'a counter is not added up');
});

t.test('nodes of one process do not share figures', async (t) => {
  const [one, other] = [new NodeMetrics(() => SNAPSHOT), new NodeMetrics(() => SNAPSHOT)];
  one.observeFsync(1);
  t.match(await one.text(), 'mailraft_journal_fsync_duration_seconds_count 1');
  t.match(await other.text(), 'mailraft_journal_fsync_duration_seconds_count 0');
});

t.test('the process is measured too', async (t) => {
  const text = await new NodeMetrics(() => SNAPSHOT).text();
  const value = (name: string) => Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
  t.ok(value('process_cpu_seconds_total') > 0);
  t.ok(value('process_resident_memory_bytes') > 1e6);
  t.ok(Math.abs(value('process_start_time_seconds') - Date.now() / 1000) < 600);
  t.ok(value('process_open_fds') >= 3);
});

const PROMTOOL = spawnSync('promtool', ['--version']).error === undefined;

t.test(
  'what the server sends passes the linter of Prometheus',
  { skip: PROMTOOL ? false : 'promtool (Debian package prometheus) is not installed' },
  async (t) => {
    const { server } = serve(t);
    const { headers, body } = await server.app.inject('/metrics');
    t.match(headers['content-type'], /^text\/plain; version=0\.0\.4/);
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: body });
    t.equal(`${stdout}${stderr}`, '');
    t.equal(status, 0);

    const spoilt = `${body}# TYPE bad_count counter\nbad_count 1\n`;
    const { status: red } = spawnSync('promtool', ['check', 'metrics'], { input: spoilt });
    t.not(red, 0, 'the linter does look');
  },
);
