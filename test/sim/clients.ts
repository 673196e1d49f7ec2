/** Clients that propose, now one value and now many, and ask where a read may begin. */

import type { SimMember } from './member.ts';
import type { Simulation } from './simulation.ts';

/** Share of turns in which a client reads. */
const READ_RATE = 0.15;
/** Share of turns in which a client asks whoever it happens to know. */
const ASTRAY_RATE = 0.1;

const BURST = 30;

export class Clients {
  readonly #simulation: Simulation;
  #accepted = 0;

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
  }

  /** How many proposals a leader took. */
  get accepted(): number {
    return this.#accepted;
  }

  begin(): void {
    const { world, chance, plan } = this.#simulation;
    world.after(chance.around(plan.clientMsMean), () => {
      this.#turn();
      this.begin();
    });
  }

  #turn(): void {
    const { chance, members, plan } = this.#simulation;
    const leader = members.find(({ isLeading }) => isLeading);
    const isAstray = leader === undefined || chance.happens(ASTRAY_RATE);
    const target = isAstray ? chance.pick(members) : leader;
    const count = chance.happens(plan.burstRate) ? BURST : 1 + chance.below(2);
    for (let value = 0; value < count; value += 1) {
      if (!target.propose(`value ${this.#accepted}`)) break;
      this.#accepted += 1;
    }
    if (chance.happens(READ_RATE)) this.read(target);
  }

  /** A new leader is asked at once: what it then holds may be held by nobody else. */
  greet(member: SimMember): void {
    if (!this.#simulation.faults.isOver && this.#simulation.chance.happens(0.5)) {
      if (member.propose(`value ${this.#accepted}`)) this.#accepted += 1;
    }
    this.read(member);
  }

  /** What was committed when a read was asked for is what it must show. */
  read(member: SimMember): void {
    const { checks, counts } = this.#simulation;
    if (member.isPaused) return;
    const known = checks.knownCommitted;
    member.host?.readIndex((index) => {
      if (index === undefined) return;
      counts.add('read');
      checks.read(member.id, index, known);
    });
  }
}
