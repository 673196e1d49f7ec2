/** What `status` shows of a cluster, the verdict first. Pure: reports in, lines out. */

import type {
  ClusterReport,
  MemberReport,
  StatusReport,
  VolumeReport,
} from '../net/http/node-port.ts';
import { EXIT } from './exit-codes.ts';
import { type Health, healthWord, isFit, notesOf } from './health.ts';
import { type Colour, oneLine, type Paint } from './output.ts';
import { bytesText, countOf, countText, durationText } from './quantities.ts';
import { tableLines } from './table.ts';

/** Everything that one look at a node brings, and the object that `-o json` prints. */
export interface Look {
  readonly status: StatusReport;
  readonly cluster: ClusterReport;
  readonly health: Health;
}

const HASH_LENGTH_SHOWN = 12;
const MEMBER_TITLES = ['MEMBER', 'ADDRESS', 'ROLE', 'STANDING', 'LAG', 'HEARD OF', 'CAN TAKE OVER'];

/** The whole view, for a person. */
export function statusLines(look: Look, paint: Paint, nowMs: number): readonly string[] {
  const { status, cluster } = look;
  return [
    ...verdictLines(look, paint),
    '',
    ...tableLines([
      MEMBER_TITLES.map((title) => paint('bold', title)),
      ...cluster.members.map((member) => memberRow(member, isByLeader(cluster), paint)),
    ]),
    '',
    paint('bold', `${status.node} about itself`),
    ...tableLines(nodeRows(status, paint, nowMs)),
  ];
}

/** The same in one line, for a log. */
export function statusLine({ status, cluster, health }: Look, nowMs: number): string {
  const fields = [
    new Date(nowMs).toISOString(),
    healthWord(health),
    `primary=${cluster.primary ?? '-'}`,
    `leader=${cluster.leader ?? '-'}`,
    `term=${cluster.term}`,
    `epoch=${status.tenure.epoch}`,
    `commit=${status.raft.commitIndex}`,
    health.reasons.join('; '),
  ];
  return fields.join(' ').trimEnd();
}

function verdictLines({ status, cluster, health }: Look, paint: Paint): readonly string[] {
  const colour = verdictColour(health);
  const word = paint(colour, healthWord(health));
  const primary = cluster.primary === null ? '' : `, primary ${cluster.primary}`;
  return [
    `${paint('bold', cluster.cluster)}: ${word}${primary}, term ${cluster.term}, mailraft ${status.version}`,
    ...health.reasons.map((reason) => `  ${paint(colour, '!')} ${reason}`),
    ...notesOf(status, health).map((note) => `  ${paint('dim', 'note:')} ${note}`),
  ];
}

function verdictColour({ exitCode }: Health): Colour {
  if (exitCode === EXIT.done) return 'green';
  return exitCode === EXIT.noPrimary ? 'red' : 'yellow';
}

/** Only a leader knows how far the others are behind. */
function isByLeader({ members }: ClusterReport): boolean {
  return members.some(({ isSelf, isLeader }) => isSelf && isLeader);
}

function memberRow(member: MemberReport, isLagKnown: boolean, paint: Paint): readonly string[] {
  const marks = [
    ...(member.isPrimary ? [paint('green', 'primary')] : []),
    ...(member.isLeader ? ['leader'] : []),
  ];
  const row = [
    member.id,
    member.address,
    member.role,
    marks.join(', ') || '-',
    isLagKnown || member.isPrimary ? lagText(member) : 'unknown here',
    heardText(member),
    fitnessText(member),
  ];
  const last = row.length - 1;
  return isFit(member)
    ? row
    : row.map((cell, column) => (column === 0 || column === last ? paint('yellow', cell) : cell));
}

function lagText({ isPrimary, lag }: MemberReport): string {
  if (isPrimary) return '-';
  if (lag.entries === 0) return 'none';
  const { entries, bytes, seconds } = lag;
  const size = countOf(entries, 'entry', 'entries');
  return `${size}, ${bytesText(bytes)}, ${durationText(seconds * 1000)}`;
}

function heardText({ isSelf, ageMs }: MemberReport): string {
  if (isSelf) return 'itself';
  return ageMs === null ? 'never' : agoText(ageMs);
}

function fitnessText({ isPrimary, eligible, reason }: MemberReport): string {
  if (isPrimary) return '-';
  if (eligible) return 'yes';
  return reason === null ? 'no' : `no: ${oneLine(reason)}`;
}

function nodeRows(
  status: StatusReport,
  paint: Paint,
  nowMs: number,
): readonly (readonly string[])[] {
  const rows: readonly (readonly [title: string, text: string])[] = [
    ['role', status.role],
    ['copies', `${status.copies}`],
    ['tenure', tenureText(status)],
    ...status.address.map(
      ({ address, held }) =>
        ['address', `${address} ${held ? 'held here' : 'not held here'}`] as const,
    ),
    ['service', serviceText(status)],
    ...status.service.probes.map(({ name, verdict, atMs, text }) => {
      const age = atMs === null ? '' : `, ${agoText(nowMs - atMs)}`;
      return ['probe', `${name} ${verdict}${age}${told(text)}`] as const;
    }),
    ...status.volumes.map((volume) => ['volume', volumeText(volume)] as const),
    ['replication', replicationText(status)],
    ['journal', journalText(status)],
    ['salvage', salvageText(status)],
    ...status.peers.map((peer) => ['peer', peerText(peer)] as const),
  ];
  return rows.map(([title, text]) => [`  ${paint('dim', title)}`, text]);
}

function tenureText({ tenure }: StatusReport): string {
  const hold = tenure.valid ? `valid for ${durationText(tenure.expiresInMs)}` : 'not held here';
  const waits = tenure.waitsFor === null ? '' : `, waits for ${oneLine(tenure.waitsFor)}`;
  return `epoch ${tenure.epoch}, ${hold}; ${tenure.phase}${waits}; protection: ${tenure.protection}`;
}

function serviceText({ service }: StatusReport): string {
  const pid = service.pid === null ? '' : `, pid ${service.pid}`;
  const crashes = service.crashes === 0 ? '' : `, ${countOf(service.crashes, 'crash', 'crashes')}`;
  return `${service.state}${pid}${crashes}`;
}

function volumeText(volume: VolumeReport): string {
  const { dirty, missing, treeHash, treeHashIndex } = volume;
  const pending = [
    ...(dirty === 0 ? [] : [`${countText(dirty)} not yet committed`]),
    ...(missing === 0 ? [] : [`${countText(missing)} not yet here`]),
  ];
  const size = `${countOf(volume.files, 'file')}, ${bytesText(volume.bytes)}`;
  const tree =
    treeHash === ''
      ? 'tree not known yet'
      : `tree ${treeHash.slice(0, HASH_LENGTH_SHOWN)} at ${treeHashIndex}`;
  const checked =
    volume.checkedAt === null
      ? ''
      : `, ${countText(volume.checkedFiles)} read back at ${volume.checkedIndex}`;
  return `${volume.name} at ${volume.path}: ${[size, tree, ...pending].join(', ')}${checked}`;
}

function replicationText({ replication, raft }: StatusReport): string {
  const overflows =
    replication.overflows === 0 ? '' : `, ${countOf(replication.overflows, 'overflow')}`;
  const indexes = `applied ${countText(raft.appliedIndex)} of ${countText(raft.commitIndex)} committed`;
  return `${replication.mode}, ${indexes}${overflows}${told(replication.problem ?? '')}`;
}

function journalText({ journal }: StatusReport): string {
  const size = `${bytesText(journal.bytes)} of ${bytesText(journal.maxSizeBytes)}`;
  return `${size}${journal.hasSpace ? '' : ', no space'}${told(journal.damage ?? '')}`;
}

function salvageText({ salvage }: StatusReport): string {
  return salvage.count === 0 ? 'nothing kept' : `${countText(salvage.count)} kept`;
}

function peerText({ id, isConnected, problem, ageMs }: StatusReport['peers'][number]): string {
  const age = ageMs === null ? 'never heard of' : `heard of ${agoText(ageMs)}`;
  return `${id} ${isConnected ? 'connected' : 'not connected'}, ${age}${told(problem ?? '')}`;
}

function agoText(ms: number): string {
  return `${durationText(Math.max(0, ms))} ago`;
}

function told(text: string): string {
  const shown = oneLine(text);
  return shown === '' ? '' : `: ${shown}`;
}
