/** Topologies that a network takes on for a while, and slow links. */

import type { SimMember } from '../member.ts';
import { LEASE_MS } from '../plan.ts';
import type { Chance } from '../random.ts';
import type { Simulation } from '../simulation.ts';
import type { Strike } from './kinds.ts';

type Cut = readonly [from: string, to: string];

const both = (one: string, other: string): Cut[] => [
  [one, other],
  [other, one],
];

export class NetworkFaults {
  readonly #simulation: Simulation;
  readonly #chance: Chance;
  /** Does something after a while, unless the faults are over by then. */
  readonly #later: (act: () => void) => void;

  constructor(simulation: Simulation, chance: Chance, later: (act: () => void) => void) {
    this.#simulation = simulation;
    this.#chance = chance;
    this.#later = later;
  }

  /** @returns whether anything was done */
  hit(kind: Strike | 'onePeer', victim: SimMember): boolean {
    if (kind === 'swizzleClog') return this.#swizzle();
    const cuts = this.#cutsOf(kind, victim);
    const { network } = this.#simulation;
    for (const [from, to] of cuts) network.cut(from, to);
    this.#later(() => {
      for (const [from, to] of cuts) network.heal(from, to);
    });
    return cuts.length > 0;
  }

  #cutsOf(kind: Strike | 'onePeer', victim: SimMember): readonly Cut[] {
    const { members } = this.#simulation;
    const others = members.filter((member) => member !== victim).map(({ id }) => id);
    const leader = members.find(({ isLeading }) => isLeading) ?? victim;
    const rest = members.filter((member) => member !== leader).map(({ id }) => id);
    switch (kind) {
      case 'isolate':
        return others.flatMap((other) => both(victim.id, other));
      case 'onePeer':
        return this.#chance
          .shuffled(others)
          .slice(1)
          .flatMap((other) => both(victim.id, other));
      case 'cutLink':
        return both(victim.id, this.#chance.pick(others));
      case 'cutOneWay':
        return [[victim.id, this.#chance.pick(others)]];
      case 'deafLeader':
        return rest.map((other) => [other, leader.id]);
      case 'muteLeader':
        return rest.map((other) => [leader.id, other]);
      case 'bridge':
        return this.#bridge();
      default:
        return this.#partition(kind === 'partition');
    }
  }

  /** Two halves; in one direction only, the other half still hears. */
  #partition(isSymmetric: boolean): readonly Cut[] {
    const ids = this.#chance.shuffled(this.#simulation.members.map(({ id }) => id));
    const size = 1 + this.#chance.below(ids.length - 1);
    const [here, there] = [ids.slice(0, size), ids.slice(size)];
    return here.flatMap((one) =>
      there.flatMap((other): readonly Cut[] => (isSymmetric ? both(one, other) : [[one, other]])),
    );
  }

  /** Two halves that only one member sees both of. */
  #bridge(): readonly Cut[] {
    const [, ...ids] = this.#chance.shuffled(this.#simulation.members.map(({ id }) => id));
    const half = Math.floor(ids.length / 2);
    const [here, there] = [ids.slice(0, half), ids.slice(half)];
    return here.flatMap((one) => there.flatMap((other) => both(one, other)));
  }

  /** Links clog one after the other, and are free again in another order. */
  #swizzle(): boolean {
    const { network, members, world } = this.#simulation;
    const ids = members.map(({ id }) => id);
    const links = ids.flatMap((from) =>
      ids.filter((to) => to !== from).map((to): Cut => [from, to]),
    );
    const lengthMs = this.#chance.around(LEASE_MS);
    for (const [from, to] of this.#chance.some(links, this.#chance.between(0.2, 0.9))) {
      const beginMs = this.#chance.between(0, lengthMs);
      const untilMs = world.nowMs + lengthMs + this.#chance.between(0, 2 * lengthMs);
      world.after(beginMs, () => network.clog(from, to, untilMs));
    }
    return true;
  }
}
