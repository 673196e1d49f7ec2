/** The witness as its HTTP interface asks it. */

import { MailraftError } from '../../errors.ts';
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
} from '../../net/http/node-port.ts';
import { BARRIER_MS_MAX, type BarrierAnswer, barrierAnswerOf } from '../barriers.ts';
import type { StepQuestion } from '../members/change-request.ts';
import {
  type WitnessParts,
  witnessChecks,
  witnessCluster,
  witnessRole,
  witnessStatus,
} from './witness-report.ts';

export class WitnessService implements NodePort {
  readonly #parts: WitnessParts;
  readonly isPrimary = false;
  readonly isLeader = false;
  readonly isSecondary = false;

  constructor(parts: WitnessParts) {
    this.#parts = parts;
  }

  get role(): NodeRole {
    return witnessRole(this.#parts);
  }

  get term(): number {
    return this.#parts.running?.member.host.standing.term ?? 0;
  }

  status(): StatusReport {
    return witnessStatus(this.#parts);
  }

  cluster(): ClusterReport {
    return witnessCluster(this.#parts);
  }

  /** Records of tenures are data, which a witness does not keep. */
  history(): readonly HistoryEntry[] {
    return [];
  }

  async salvage(): Promise<readonly SalvageEntry[]> {
    return [];
  }

  ready(): readonly ReadyCheck[] {
    return witnessChecks(this.#parts);
  }

  async changeMembers(
    request: MemberChangeRequest,
    options: MemberChangeOptions,
    report: PhaseReporter,
  ): Promise<unknown> {
    // Seldom needed, and a witness is to stay small.
    const { driveChange, MEMBER_STEP_MS_MAX } = await import('../members/change-driver.ts');
    const { transport, nowMs } = this.#parts;
    const ask = (question: StepQuestion): Promise<unknown> =>
      transport.ask(this.#leader(), 'member.step', question, MEMBER_STEP_MS_MAX);
    return await driveChange(
      { request, ...options },
      { ask, handOver: () => this.switchover(), nowMs },
      report,
    );
  }

  async barrier(report: PhaseReporter): Promise<BarrierAnswer> {
    const leader = this.#leader();
    report('covering');
    const { transport } = this.#parts;
    return barrierAnswerOf(await transport.ask(leader, 'peer.barrier', {}, BARRIER_MS_MAX));
  }

  /** How a move goes is read from records that a witness does not keep. */
  async switchover(): Promise<never> {
    const { leader = '' } = this.#parts.running?.member.host.standing ?? {};
    const whom = leader === '' ? 'a member that has data' : leader;
    throw new MailraftError('REFUSED', `this node is the witness: ask ${whom} to move the service`);
  }

  #leader(): string {
    const leader = this.#parts.running?.member.host.standing.leader ?? '';
    if (leader === '') throw new MailraftError('NO_QUORUM', 'no node leads at the moment');
    return leader;
  }
}
