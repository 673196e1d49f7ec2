/**
 * The end of a run: faults stop, and the group must do what it owes (liveness).
 *
 * First they stop on a core, a random quorum whose members all reach each other, while
 * the rest stays as broken as it is and is cut off: deaf, or out of earshot. Within a
 * bound the core has one leader and a primary, commits what is proposed, leaves a joint
 * configuration and has equal logs, and nothing changes any more. Then the rest heals,
 * disks that were lost are exchanged, and all become level.
 *
 * Not here: how fast a failover is (schedules.test.ts has that).
 */

import { isJoint } from '../../src/consensus/core/membership/reconfigure.ts';
import { isVoter } from '../../src/consensus/core/quorum/joint.ts';
import type { Membership, NodeId } from '../../src/consensus/core/types.ts';
import { isQuorumOfAll, isWhole, lastOf, possibleMemberships } from './faults/atlas.ts';
import type { SimMember } from './member.ts';
import { LEASE_MS } from './plan.ts';
import type { Simulation } from './simulation.ts';
import { Violation } from './violation.ts';

/** What was struck before may still fall within so long. */
const SETTLE_MS = 6 * LEASE_MS;
/** Peace must bring what is owed within so long: a log may have to be sent an entry a round trip. */
const OWED_MS = 600 * LEASE_MS;
/** Nothing may change any more for so long. */
const STABLE_MS = 6 * LEASE_MS;
/** Proposals that must be committed. */
const PROPOSALS = 5;

export class Peace {
  readonly #simulation: Simulation;

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
  }

  keep(): void {
    const { faults, network, members, counts } = this.#simulation;
    faults.end();
    network.isReliable = true;
    network.healAll();
    const core = this.#drawCore();
    if (core.length < members.length) {
      counts.add('peace of a core');
      this.#isolate(core);
      this.#calm(core);
      this.#demand(core, 'on a quorum');
      network.healAll();
    }
    counts.add('peace of all');
    this.#calm(members);
    this.#demand(members, 'everywhere');
  }

  /** A quorum by every configuration that may decide, of members that lost nothing. */
  #drawCore(): readonly SimMember[] {
    const { chance, members } = this.#simulation;
    const memberships = possibleMemberships(members);
    const core: SimMember[] = [];
    for (const member of chance.shuffled(members.filter(isWhole))) {
      if (!this.#canLive(core, memberships) || chance.happens(0.15)) core.push(member);
    }
    return this.#canLive(core, memberships) ? core : members;
  }

  /**
   * Not every quorum can elect: one of it must have all that the others have and be a voter
   * by what it knows itself. (A change takes effect when its commit is known: one that
   * learned of its own demotion first helps nobody who has not heard of it.)
   */
  #canLive(core: readonly SimMember[], memberships: readonly Membership[]): boolean {
    if (!isQuorumOfAll(core, memberships)) return false;
    const { witness } = this.#simulation;
    if (witness !== undefined && !this.#canCommit(core, witness)) return false;
    const ends = core.map((member) => ({ id: member.id, member, last: lastOf(member) }));
    return ends.some(
      ({ id, member, last }) =>
        id !== witness &&
        isVoterOfItsOwn(member) &&
        ends.every((other) => {
          const { term, index } = other.last;
          return last.term > term || (last.term === term && last.index >= index);
        }),
    );
  }

  /** Who is in the copy set is left out of it only while the witness answers. */
  #canCommit(core: readonly SimMember[], witness: NodeId): boolean {
    if (core.some(({ id }) => id === witness)) return true;
    const wanted = new Set(
      core.flatMap(({ host, process }) => {
        return host?.copySet ?? process?.placed.membership.copySet ?? [];
      }),
    );
    return (
      core.every(({ isUp }) => isUp) && [...wanted].every((id) => core.some((one) => one.id === id))
    );
  }

  #isolate(core: readonly SimMember[]): void {
    const { network, chance, members } = this.#simulation;
    const rest = members.filter((member) => !core.includes(member));
    this.#simulation.note(() => `peace for ${core.map(({ id }) => id).join(' ')}`);
    for (const outsider of rest) {
      const isHeard = chance.happens(0.5);
      for (const { id } of core) {
        network.cut(id, outsider.id);
        if (!isHeard) network.cut(outsider.id, id);
      }
    }
  }

  #calm(members: readonly SimMember[]): void {
    for (const member of members) {
      member.isPunctual = true;
      member.storage.relieve();
      member.resume();
      if (!member.isBlank) member.start();
    }
  }

  #demand(members: readonly SimMember[], where: string): void {
    const simulation = this.#simulation;
    simulation.run(SETTLE_MS);
    if (!isQuorumOfAll(members.filter(isWhole), possibleMemberships(simulation.members))) {
      // A loss of power alone may leave a journal that looks damaged, and mutes its member.
      simulation.counts.add('peace without a quorum');
      return;
    }
    const isTidy = () => this.#isTidy(members);
    this.#until(isTidy, `nobody serves ${where}, or the configuration is not left`);
    const proposed = simulation.clients.accepted;
    const isLevel = () => simulation.clients.accepted >= proposed + PROPOSALS && isEven(members);
    this.#until(isLevel, `the logs do not become equal ${where}`);
    const leader = this.#leaderOf(members);
    const term = leader?.host?.standing.term;
    simulation.run(STABLE_MS);
    const now = this.#leaderOf(members);
    if (now !== leader || now?.host?.standing.term !== term || !now?.isServing) {
      throw new Violation('liveness', `the primary changes in time of peace ${where}`);
    }
    this.#until(() => isEven(members), `the logs do not stay equal ${where}`);
  }

  /** Looks now and then; what is asked costs more than a step. */
  #until(isReached: () => boolean, what: string): void {
    const { world } = this.#simulation;
    const untilMs = world.nowMs + OWED_MS;
    while (!isReached()) {
      if (world.nowMs >= untilMs) throw new Violation('liveness', what);
      this.#simulation.run(LEASE_MS / 4);
    }
  }

  #isTidy(members: readonly SimMember[]): boolean {
    const leader = this.#leaderOf(members);
    if (leader?.host === undefined) return false;
    const isAll = members === this.#simulation.members;
    // With explicit leave somebody must say so.
    const isDone = this.#simulation.operator.tidy(isAll);
    return isDone && leader.isServing && !isJoint(leader.host.membership);
  }

  #leaderOf(members: readonly SimMember[]): SimMember | undefined {
    return members.find(({ isLeading }) => isLeading);
  }
}

/** Whether all that the configuration names have applied as much. */
function isEven(members: readonly SimMember[]): boolean {
  const { host } = members.find(({ isServing }) => isServing) ?? {};
  if (host === undefined) return false;
  const { voters, learners } = host.membership;
  const named = members.filter(({ id }) => voters.includes(id) || learners.includes(id));
  const isLevel = named.every(
    (member) => member.isUp && member.appliedIndex === host.status.commit,
  );
  const isFlowing = host
    .progress()
    .every(({ id, state }) => state === 'replicate' || !named.some((member) => member.id === id));
  return isLevel && isFlowing;
}

function isVoterOfItsOwn({ id, host, storage }: SimMember): boolean {
  return isVoter(host?.membership ?? storage.durable.placed.membership, id);
}
