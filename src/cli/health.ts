/**
 * From what a node reports to a verdict: is the service served, and could it be
 * served elsewhere if this ended? Pure, and the one place where the exit code of
 * `status` comes from.
 */

import type { ClusterReport, MemberReport, StatusReport } from '../net/http/node-port.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { oneLine } from './output.ts';

export interface Health {
  readonly exitCode: ExitCode;
  /** Why not healthy, the gravest first, each a sentence without a full stop. */
  readonly reasons: readonly string[];
}

/** Verdict of one word, for people. */
export function healthWord({ exitCode }: Health): 'healthy' | 'degraded' | 'no primary' {
  if (exitCode === EXIT.done) return 'healthy';
  return exitCode === EXIT.noPrimary ? 'no primary' : 'degraded';
}

/**
 * Healthy: there is a primary that serves, and every other member could take over.
 * Warnings change nothing: among them are lasting choices of the configuration, which
 * must not keep a watchman's light on for ever.
 */
export function judgeHealth(status: StatusReport, cluster: ClusterReport): Health {
  const outages = outagesOf(cluster);
  const reasons = [
    ...outages,
    ...serviceFaults(status),
    ...memberFaults(status, cluster),
    ...storageFaults(status),
    ...(status.paused ? ['automatic failover is paused'] : []),
  ];
  if (outages.length > 0) return { exitCode: EXIT.noPrimary, reasons };
  return { exitCode: reasons.length > 0 ? EXIT.conditionNotMet : EXIT.done, reasons };
}

function outagesOf({ leader, primary }: ClusterReport): readonly string[] {
  return [
    ...(primary === null ? ['no member is primary'] : []),
    ...(leader === null ? ['no member leads a majority'] : []),
  ];
}

/** Only who holds the tenure knows how the service does; it is primary when all of it does well. */
function serviceFaults({ node, role, tenure, service, address }: StatusReport): readonly string[] {
  if (role === 'stopped') return [`${node} is stopped`];
  if (role !== 'primary' && !tenure.valid) return [];
  return [
    ...(tenure.valid ? [] : [`the tenure of ${node} is not valid`]),
    ...(service.state === 'running' ? [] : [`the service of ${node} is ${oneLine(service.state)}`]),
    ...address.filter(({ held }) => !held).map((one) => `${node} does not hold ${one.address}`),
    ...service.probes
      .filter(({ verdict }) => verdict !== 'passing')
      .map(({ name, verdict, text }) => `probe ${name} is ${verdict}${told(text)}`),
  ];
}

function memberFaults(status: StatusReport, { members }: ClusterReport): readonly string[] {
  const unfit = members.filter((member) => member.canBePrimary && !isFit(member));
  const named = new Set(unfit.map(({ id }) => id));
  const cut = status.peers.filter(({ id, isConnected }) => !isConnected && !named.has(id));
  return [
    ...unfit.map((member) => `${member.id} can not take over${told(member.reason ?? '')}`),
    ...cut.map(
      ({ id, problem }) => `${status.node} has no connection to ${id}${told(problem ?? '')}`,
    ),
  ];
}

function storageFaults({ node, replication, journal }: StatusReport): readonly string[] {
  return [
    ...(replication.problem === null ? [] : [`replication of ${node}${told(replication.problem)}`]),
    ...(journal.damage === null
      ? []
      : [`the journal of ${node} is damaged${told(journal.damage)}`]),
    ...(journal.hasSpace ? [] : [`the journal of ${node} has no space`]),
  ];
}

function told(text: string): string {
  return text === '' ? '' : `: ${oneLine(text)}`;
}

/** Warnings that the verdict does not tell already. */
export function notesOf({ warnings }: StatusReport, { reasons }: Health): readonly string[] {
  const notes = new Set(warnings.map(oneLine));
  return [...notes].filter((note) => !reasons.some((reason) => reason.includes(note)));
}

/** Whether a member is where the service runs or could run at once. */
export function isFit(member: MemberReport): boolean {
  return member.isPrimary || member.eligible;
}
