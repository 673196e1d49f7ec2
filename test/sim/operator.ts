/**
 * Whoever changes the members of the group: adds, promotes, demotes and removes them, one
 * or several at once, and brings machines with new disks back.
 */

import type {
  ConfigChange,
  MemberChange,
  Transition,
} from '../../src/consensus/core/membership/change.ts';
import { changed, isJoint } from '../../src/consensus/core/membership/reconfigure.ts';
import type { MemberDetail, Membership } from '../../src/consensus/core/types.ts';
import { incarnationIn } from '../../src/consensus/host/incarnations.ts';
import { isWhole } from './faults/atlas.ts';
import type { SimMember } from './member.ts';
import type { Chance } from './random.ts';
import type { Simulation } from './simulation.ts';

/** A group must not become smaller by itself. */
const VOTERS_MIN = 3;
/** Until a machine that was added is told of it. */
const JOIN_MS_MEAN = 60;

const LEAVE: ConfigChange = { changes: [], transition: 'auto', context: '' };

export class Operator {
  readonly #simulation: Simulation;
  readonly #chance: Chance;

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
    this.#chance = simulation.chance.fork();
  }

  /** Changes something; false where nothing can be changed now. */
  change(): boolean {
    const leader = this.#leader();
    if (leader === undefined) return false;
    const { membership } = leader;
    const wanted = isJoint(membership) ? LEAVE : this.#draw(membership);
    if (wanted === undefined) return false;
    return this.#propose(leader, wanted);
  }

  /**
   * In time of peace: leaves what is to be left, and exchanges disks that are gone.
   *
   * @param isComplete whether everybody is there, so that members can be exchanged
   * @returns whether nothing is left to do
   */
  tidy(isComplete: boolean): boolean {
    const leader = this.#leader();
    if (leader === undefined) return false;
    const { membership } = leader;
    if (isJoint(membership)) {
      if (!membership.autoLeave) this.#propose(leader, LEAVE);
      return false;
    }
    if (!isComplete) return true;
    const gone = this.#gone(membership)[0];
    const next =
      gone === undefined
        ? this.#whoIsMissing(membership)
        : this.#single({ kind: 'remove', id: gone.id });
    if (next !== undefined) this.#propose(leader, next);
    return next === undefined;
  }

  /** A configuration came into effect at `member`: whoever it adds is told. */
  introduced(member: SimMember): void {
    const { world, members } = this.#simulation;
    const isNews = members.some((other) => other.isBlank && member.process?.names(other));
    if (!isNews || !member.isLeading) return;
    world.after(this.#chance.around(JOIN_MS_MEAN), () => {
      const { process } = member;
      if (process === undefined) return;
      for (const other of members) {
        if (other.isBlank && process.names(other)) other.join(process.placed);
      }
    });
  }

  #leader(): NonNullable<SimMember['host']> | undefined {
    return this.#simulation.members.find(({ isLeading, isPaused }) => isLeading && !isPaused)?.host;
  }

  #propose(leader: NonNullable<SimMember['host']>, change: ConfigChange): boolean {
    const { counts } = this.#simulation;
    const result = leader.proposeConfig(change);
    if (result.kind !== 'accepted') return false;
    this.#simulation.note(() => `change ${JSON.stringify(change.changes)} ${change.transition}`);
    counts.add(`change ${this.#nameOf(change)}`);
    return true;
  }

  #nameOf({ changes, transition }: ConfigChange): string {
    if (changes.length === 0) return 'leave';
    return changes.length > 1 || transition !== 'auto' ? 'joint' : (changes[0]?.kind ?? '');
  }

  #single(change: MemberChange): ConfigChange {
    return { changes: [change], transition: 'auto', context: '' };
  }

  /** Members whose disk is gone for which the configuration counts on them. */
  #gone(membership: Membership): readonly SimMember[] {
    return this.#simulation.members.filter(({ id, incarnation }) => {
      const named = incarnationIn(membership, id);
      return named !== '' && named !== incarnation;
    });
  }

  #whoIsMissing({ voters, learners }: Membership): ConfigChange | undefined {
    const learner = learners[0];
    if (voters.length >= VOTERS_MIN || learner === undefined) return undefined;
    return this.#single({ kind: 'addVoter', id: learner });
  }

  #draw(membership: Membership): ConfigChange | undefined {
    const gone = this.#gone(membership);
    const drawn =
      gone.length > 0 && this.#chance.happens(0.7)
        ? this.#exchange(this.#chance.pick(gone))
        : this.#chance.happens(0.35)
          ? this.#several(membership)
          : this.#one(membership);
    return drawn !== undefined && this.#isBearable(membership, drawn) ? drawn : undefined;
  }

  /** A machine with a new disk is taken out, or taken back at once. */
  #exchange(member: SimMember): ConfigChange {
    const out: MemberChange = { kind: 'remove', id: member.id };
    if (this.#chance.happens(0.5)) return this.#single(out);
    const detail = this.#detailOf(member);
    const kind = this.#chance.happens(0.5) ? 'addLearner' : 'addVoter';
    const changes: MemberChange[] = [out, { kind, id: member.id, detail }];
    return { changes, transition: this.#transition(), context: '' };
  }

  #one(membership: Membership): ConfigChange | undefined {
    const { voters, learners, witness } = membership;
    const data = voters.filter((id) => id !== witness);
    const outside = this.#outside(membership);
    const options: MemberChange[] = [
      ...learners.map((id): MemberChange => ({ kind: 'addVoter', id })),
      ...learners.map((id): MemberChange => ({ kind: 'remove', id })),
      ...data.map((id): MemberChange => ({ kind: 'addLearner', id })),
      ...data.map((id): MemberChange => ({ kind: 'remove', id })),
      ...outside.flatMap((member): MemberChange[] => {
        const named = { id: member.id, detail: this.#detailOf(member) };
        return [
          { kind: 'addLearner', ...named },
          { kind: 'addVoter', ...named },
        ];
      }),
    ];
    return options.length === 0 ? undefined : this.#single(this.#chance.pick(options));
  }

  /** Some voters make way for others, in one step through a joint configuration. */
  #several(membership: Membership): ConfigChange | undefined {
    const { voters, learners, witness } = membership;
    const leaving = this.#chance.shuffled(voters.filter((id) => id !== witness)).slice(0, 2);
    const outside = this.#outside(membership);
    const coming: MemberChange[] = [
      ...learners.map((id): MemberChange => ({ kind: 'addVoter', id })),
      ...outside.map((one): MemberChange => {
        return { kind: 'addVoter', id: one.id, detail: this.#detailOf(one) };
      }),
    ];
    const taken = this.#chance.shuffled(coming).slice(0, 1 + this.#chance.below(2));
    const given = leaving.slice(0, this.#chance.below(3)).map((id): MemberChange => {
      return { kind: this.#chance.happens(0.3) ? 'addLearner' : 'remove', id };
    });
    const changes = [...taken, ...given];
    return changes.length === 0
      ? undefined
      : { changes, transition: this.#transition(), context: '' };
  }

  #transition(): Transition {
    return this.#chance.pick(['auto', 'implicit', 'explicit']);
  }

  #outside({ voters, outgoing, learners }: Membership): readonly SimMember[] {
    const inside = new Set([...voters, ...outgoing, ...learners]);
    return this.#simulation.members.filter(({ id }) => !inside.has(id));
  }

  #detailOf({ incarnation }: SimMember): MemberDetail {
    return { incarnation, info: '' };
  }

  /** Enough voters are left, and enough of them are there to go on. */
  #isBearable(membership: Membership, change: ConfigChange): boolean {
    let next: Membership;
    try {
      next = changed(membership, change);
    } catch {
      return false;
    }
    const { voters } = next;
    const present = voters.filter((id) => {
      const member = this.#simulation.member(id);
      return member.isBlank ? incarnationIn(membership, id) === '' : isWhole(member);
    });
    const isEnough = voters.length >= VOTERS_MIN && voters.length <= 7;
    return isEnough && present.length * 2 > voters.length;
  }
}
