/**
 * Carries out changes of the members at the leader, a step for each question, one change
 * at a time (safety rules 10 and 24). Whoever asks goes on asking, also another leader.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { parseEndpoint } from '../../config/endpoint.ts';
import type { MemberChange } from '../../consensus/core/membership/change.ts';
import { MailraftError, messageOf } from '../../errors.ts';
import type { Transport } from '../../net/transport/transport.ts';
import type { Join } from '../founding.ts';
import type { IdentityStore } from '../identity.ts';
import type { Running } from '../node-parts.ts';
import type { PeerWatch } from '../peer-watch.ts';
import { type MemberFacts, nextStep, type PlanFacts, type Step } from './change-plan.ts';
import {
  type MemberRequest,
  type StepAnswer,
  type StepQuestion,
  stepQuestionOf,
  textOf,
} from './change-request.ts';
import { introductionOf } from './introduction.ts';
import type { Roster, RosterMember } from './roster.ts';

export interface MemberChangesParts {
  readonly identity: Pick<IdentityStore, 'current'>;
  readonly roster: Roster;
  readonly transport: Pick<Transport, 'askAt'>;
  peers(): PeerWatch;
  running(): Running;
  nowMs(): number;
}

/** A change that nobody asks on with any more is given up. */
const IDLE_MS = 15_000;
/** As long as one step may wait for its commit. */
const COMMIT_MS = 8000;
const CONTACT_MS = 3000;
const LOOK_MS = 20;
/** Steps that are carried out for one question. */
const STEPS_MAX = 8;

export class MemberChanges {
  readonly #parts: MemberChangesParts;
  #current: { readonly token: string; readonly text: string; askedAtMs: number } | undefined;

  constructor(parts: MemberChangesParts) {
    this.#parts = parts;
  }

  /**
   * Takes the next step of a change.
   *
   * @throws {MailraftError} `NOT_LEADER` elsewhere than at the leader,
   *   `PRECONDITION_FAILED` while another change is under way, and whatever the plan refuses
   */
  async step(params: unknown): Promise<StepAnswer> {
    const question = stepQuestionOf(params);
    if (this.#parts.running().member.host.standing.role !== 'leader') {
      throw new MailraftError('NOT_LEADER', 'this node does not lead');
    }
    if (!question.isDryRun) this.#take(question);
    try {
      const answer = await this.#carryOut(question);
      if (answer.state === 'done') this.#release(question.token);
      return answer;
    } catch (error) {
      this.#release(question.token);
      throw error;
    }
  }

  #take({ token, request }: StepQuestion): void {
    const nowMs = this.#parts.nowMs();
    const current = this.#current;
    const isOther = current !== undefined && current.token !== token;
    if (isOther && nowMs - current.askedAtMs < IDLE_MS) {
      const text = `another change is under way, ${current.text}: wait until it has ended`;
      throw new MailraftError('PRECONDITION_FAILED', text);
    }
    this.#current = { token, text: textOf(request), askedAtMs: nowMs };
  }

  #release(token: string): void {
    if (this.#current?.token === token) this.#current = undefined;
  }

  /** Goes on until something has to be waited for. */
  async #carryOut({ request: asked, isConfirmed, isDryRun }: StepQuestion): Promise<StepAnswer> {
    let request = asked;
    const warnings: string[] = [];
    const steps: string[] = [];
    for (let at = 0; at < STEPS_MAX; at += 1) {
      const step = nextStep(request, await this.#facts(request, isConfirmed));
      if (step.kind === 'refuse') throw new MailraftError(step.code, step.reason);
      if ('warnings' in step) warnings.push(...step.warnings);
      const told = { steps, phase: step.phase, warnings, request };
      if (isDryRun || step.kind === 'done') return { ...told, state: 'done' };
      if (step.kind === 'wait') return { ...told, state: 'again', progress: step.progress };
      if (step.kind === 'handOver') return { ...told, state: 'handOver' };
      request = remembering(step, request);
      if (!(await this.#act(step, request))) return { ...told, state: 'again' };
      steps.push(step.phase);
    }
    throw new MailraftError('INVARIANT', `${textOf(request)} takes no end: ${steps.join(', ')}`);
  }

  /** @returns false when it has to wait for what came before */
  async #act(
    step: Extract<Step, { kind: 'invite' | 'change' }>,
    request: MemberRequest,
  ): Promise<boolean> {
    if (step.kind === 'change') return await this.#change(step.change);
    const endpoint = endpointIn(request);
    if (endpoint === undefined) throw new MailraftError('USAGE', 'an invitation to nowhere');
    const { clusterId, members } = this.#parts.identity.current;
    const join: Join = { clusterId, incarnation: step.incarnation, members: [...members] };
    await this.#parts.transport.askAt({ id: request.id, endpoint }, 'found.join', join, CONTACT_MS);
    return true;
  }

  async #change(change: MemberChange): Promise<boolean> {
    const { host } = this.#parts.running().member;
    const { term } = host.standing;
    const result = host.proposeConfig({ changes: [change], transition: 'auto', context: '' });
    if (result.kind === 'dropped') {
      if (result.reason === 'notLeader')
        throw new MailraftError('NOT_LEADER', 'this node does not lead');
      if (result.reason !== 'invalid' && result.reason !== 'joint') return false;
      throw new MailraftError('PRECONDITION_FAILED', `the configuration of now does not allow it`);
    }
    const endAtMs = this.#parts.nowMs() + COMMIT_MS;
    while (host.status.commit < result.last) {
      const isLost = host.standing.role !== 'leader' || host.standing.term !== term;
      if (isLost)
        throw new MailraftError('NOT_LEADER', 'this node lost the lead before the commit');
      if (this.#parts.nowMs() > endAtMs) return false;
      await delay(LOOK_MS);
    }
    return true;
  }

  async #facts(request: MemberRequest, isConfirmed: boolean): Promise<PlanFacts> {
    const { identity, roster } = this.#parts;
    const members = roster.members.map((member) => this.#memberFacts(member));
    const { clusterId, id: leader } = identity.current;
    const candidate = await this.#candidate(request, members, clusterId);
    return { clusterId, leader, members, candidate, isConfirmed };
  }

  async #candidate(
    request: MemberRequest,
    members: readonly MemberFacts[],
    clusterId: string,
  ): Promise<PlanFacts['candidate']> {
    if (request.kind !== 'add') return undefined;
    const { id } = request;
    const member = members.find((one) => one.id === id);
    const isThere = request.address === undefined || request.address === member?.address;
    if (member?.isLive === true && isThere) {
      const isWitness = member.standing === 'witness';
      const known = { id, incarnation: member.incarnation, clusterId };
      return { ...known, isFresh: false, isWitness, fault: '' };
    }
    const endpoint = request.address === undefined ? member?.endpoint : endpointIn(request);
    if (endpoint === undefined) return undefined;
    try {
      const at = { id, endpoint };
      return introductionOf(
        await this.#parts.transport.askAt(at, 'member.introduce', {}, CONTACT_MS),
      );
    } catch (error) {
      return { problem: messageOf(error) };
    }
  }

  #memberFacts(member: RosterMember): MemberFacts {
    const { host, lags, brief: own } = this.#parts.running().member;
    const isSelf = member.id === this.#parts.identity.current.id;
    const brief = isSelf ? own : this.#parts.peers().findFresh(member.id);
    const { lastIndex } = host.status;
    const match = host.progress().find(({ id }) => id === member.id)?.match ?? 0;
    return {
      ...member,
      isLive: brief?.incarnation === member.incarnation && !brief.isBarred,
      lag: lags.lag(isSelf ? lastIndex : match, lastIndex, this.#parts.nowMs()),
      mode: brief?.mode ?? 'unknown',
      missing: brief?.missing ?? 0,
      fetchedBytes: brief?.fetchedBytes ?? 0,
    };
  }
}

function endpointIn(request: MemberRequest): ReturnType<typeof parseEndpoint> {
  return request.kind === 'add' ? parseEndpoint(request.address ?? '') : undefined;
}

/** A step may add to what is to be done: once it is taken, nothing else shows it. */
function remembering(step: Step, request: MemberRequest): MemberRequest {
  const hadVote = step.kind === 'change' && step.hadVote === true;
  return hadVote && request.kind === 'add' ? { ...request, isPromoted: true } : request;
}
