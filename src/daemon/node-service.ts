/** The node as its HTTP interface and its peers ask it. */

import { MailraftError } from '../errors.ts';
import type {
  ClusterReport,
  HistoryEntry,
  MemberChangeOptions,
  MemberChangeRequest,
  NodePort,
  NodeRole,
  PhaseReporter,
  ReadyCheck,
  SalvageEntry,
  StatusReport,
} from '../net/http/node-port.ts';
import { BARRIER_MS_MAX, type BarrierAnswer, barrierAnswerOf, barrierHere } from './barriers.ts';
import { clusterReport, historyEntry, salvageEntry } from './cluster-report.ts';
import { driveChange, MEMBER_STEP_MS_MAX } from './members/change-driver.ts';
import type { StepQuestion } from './members/change-request.ts';
import type { NodeParts, Running } from './node-parts.ts';
import { isPrimary, readyChecks, roleOf, statusReport } from './status-report.ts';
import { type BegunSwitchover, beginSwitchover, begunOf, watchSwitchover } from './switchovers.ts';

/** Beyond what stopping and starting may take. */
const SWITCHOVER_MARGIN_MS = 10_000;

export class NodeService implements NodePort {
  readonly #parts: NodeParts;
  #lastBarrier = 0;

  constructor(parts: NodeParts) {
    this.#parts = parts;
  }

  get role(): NodeRole {
    return roleOf(this.#parts);
  }

  get term(): number {
    return this.#parts.running?.member.host.standing.term ?? 0;
  }

  get isPrimary(): boolean {
    return isPrimary(this.#parts);
  }

  get isLeader(): boolean {
    return this.#parts.running?.member.host.standing.role === 'leader';
  }

  get isSecondary(): boolean {
    return this.role === 'secondary';
  }

  status(): StatusReport {
    return statusReport(this.#parts);
  }

  cluster(): ClusterReport {
    return clusterReport(this.#parts);
  }

  history(): readonly HistoryEntry[] {
    const { running } = this.#parts;
    return (running?.replication.status.state.history ?? []).map(historyEntry);
  }

  async salvage(): Promise<readonly SalvageEntry[]> {
    const manifests = (await this.#parts.running?.replication.salvage()) ?? [];
    return manifests.map(salvageEntry);
  }

  ready(): readonly ReadyCheck[] {
    return readyChecks(this.#parts);
  }

  async barrier(report: PhaseReporter): Promise<BarrierAnswer> {
    const { transport } = this.#parts;
    const leader = this.#leader();
    report('covering');
    if (leader === this.#self) return await this.barrierHere();
    return barrierAnswerOf(await transport.ask(leader, 'peer.barrier', {}, BARRIER_MS_MAX));
  }

  /** Carries a barrier out here, at the primary. */
  barrierHere(): Promise<BarrierAnswer> {
    const { member, replication } = this.#running;
    this.#lastBarrier += 1;
    return barrierHere(member, replication, this.#lastBarrier);
  }

  async switchover(
    { to, dryRun }: { readonly to: string | undefined; readonly dryRun: boolean },
    report: PhaseReporter,
  ): Promise<unknown> {
    const { config, roster, transport, peers } = this.#parts;
    const { member, replication } = this.#running;
    const leader = this.#leader();
    if (to !== undefined && roster.find(to) === undefined) {
      const known = roster.members.map(({ id }) => id).join(', ');
      throw new MailraftError('NOT_FOUND', `no member is called ${JSON.stringify(to)}: ${known}`);
    }
    const request = { to: to ?? null, dryRun };
    const begun =
      leader === this.#self
        ? this.beginSwitchover(request)
        : begunOf(await transport.ask(leader, 'peer.switchover', request));
    if (dryRun) return { from: begun.from, to: begun.to, wouldMove: true };
    const { startDeadlineMs, stopTimeoutMs } = config.service;
    const { leaseMs } = config.timing;
    const timeoutMs = startDeadlineMs + stopTimeoutMs + leaseMs * 4 + SWITCHOVER_MARGIN_MS;
    const watch = { self: this.#self, member, replication, peers, timeoutMs };
    return await watchSwitchover(begun, watch, report);
  }

  async changeMembers(
    request: MemberChangeRequest,
    { isConfirmed, isDryRun }: MemberChangeOptions,
    report: PhaseReporter,
  ): Promise<unknown> {
    const { memberChanges, transport } = this.#parts;
    const ask = async (question: StepQuestion): Promise<unknown> => {
      const leader = this.#leader();
      if (leader === this.#self) return await memberChanges.step(question);
      return await transport.ask(leader, 'member.step', question, MEMBER_STEP_MS_MAX);
    };
    const handOver = () => this.switchover({ to: undefined, dryRun: false }, report);
    const asked = { request, isConfirmed, isDryRun };
    return await driveChange(asked, { ask, handOver, nowMs: () => this.#parts.nowMs() }, report);
  }

  /** Begins a switchover here, at the primary. */
  beginSwitchover(params: unknown): BegunSwitchover {
    return beginSwitchover(this.#running.member, this.#self, params);
  }

  get #self(): string {
    return this.#parts.config.node.id;
  }

  get #running(): Running {
    const { running, absence } = this.#parts;
    if (running !== undefined) return running;
    const why = absence ?? 'it is starting';
    throw new MailraftError('NO_QUORUM', `this node is no member of a cluster yet: ${why}`);
  }

  #leader(): string {
    const { leader } = this.#running.member.host.standing;
    if (leader === '') throw new MailraftError('NO_QUORUM', 'no node leads at the moment');
    return leader;
  }
}
