/** What `member list` shows. Pure: a report in, lines out. */

import type { ClusterReport, MemberReport } from '../net/http/node-port.ts';
import { oneLine } from './output.ts';
import { bytesText, countOf } from './quantities.ts';
import { tableLines } from './table.ts';

const TITLES = ['MEMBER', 'ADDRESS', 'IS A', 'PRIORITY', 'SITE', 'LAG', 'INCARNATION', 'STATE'];
const INCARNATION_SHOWN = 12;

export function memberLines(cluster: ClusterReport): readonly string[] {
  const voters = cluster.members.filter(({ role }) => role !== 'learner').length;
  const isLagKnown = cluster.members.some(({ isSelf, isLeader }) => isSelf && isLeader);
  return [
    ...tableLines([TITLES, ...cluster.members.map((member) => rowOf(member, isLagKnown))]),
    `${countOf(voters, 'vote')}, ${Math.floor(voters / 2) + 1} needed`,
  ];
}

function rowOf(member: MemberReport, isLagKnown: boolean): readonly string[] {
  const { id, address, role, priority, site, incarnation } = member;
  return [
    id,
    address,
    role,
    String(priority),
    site === '' ? '-' : oneLine(site),
    isLagKnown ? lagText(member) : 'unknown here',
    incarnation === '' ? '-' : incarnation.slice(0, INCARNATION_SHOWN),
    stateText(member),
  ];
}

function lagText({ isSelf, lag }: MemberReport): string {
  if (isSelf || lag.entries === 0) return '-';
  return `${countOf(lag.entries, 'entry', 'entries')}, ${bytesText(lag.bytes)}`;
}

function stateText({ isPrimary, eligible, reason, isLeader }: MemberReport): string {
  if (isPrimary) return 'primary';
  const leads = isLeader ? 'leads, ' : '';
  if (eligible) return `${leads}can take over`;
  return `${leads}${reason === null ? 'can not take over' : oneLine(reason)}`;
}
