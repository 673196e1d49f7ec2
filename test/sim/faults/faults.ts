/** Strikes a simulation at random with the kinds of faults that its seed drew. */

import type { SimMember } from '../member.ts';
import { LEASE_MS } from '../plan.ts';
import type { Chance } from '../random.ts';
import type { Simulation } from '../simulation.ts';
import { mayLose } from './atlas.ts';
import { STRIKES, type Strike } from './kinds.ts';
import { NetworkFaults } from './network-faults.ts';

/** Of a fault that passes by itself, in leases. */
const LASTS_MEAN = 2;

export class Faults {
  readonly #simulation: Simulation;
  readonly #chance: Chance;
  readonly #strikes: readonly Strike[];
  readonly #network: NetworkFaults;
  #isOver = false;
  /** Leaders crash as soon as they are elected, until this moment of true time. */
  #ambushUntilMs = 0;

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
    this.#chance = simulation.chance.fork();
    this.#strikes = STRIKES.filter((kind) => simulation.plan.faults.includes(kind));
    this.#network = new NetworkFaults(simulation, this.#chance, (act) => this.#later(act));
  }

  begin(): void {
    if (this.#strikes.length === 0) return;
    const { world, plan } = this.#simulation;
    world.after(this.#chance.around(plan.strikeMsMean), () => {
      if (this.#isOver) return;
      this.strike(this.#chance.pick(this.#strikes));
      this.begin();
    });
  }

  end(): void {
    this.#isOver = true;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Somebody was elected. */
  elected(member: SimMember): void {
    const { world } = this.#simulation;
    if (this.#isOver || world.nowMs > this.#ambushUntilMs) return;
    // Between its own append and a majority that has it.
    world.after(this.#chance.around(20), () => {
      if (this.#isOver) return;
      this.#simulation.note(() => `fault crashNewLeader ${member.id}`);
      if (this.#chance.happens(0.4)) this.#network.hit('onePeer', member);
      else {
        member.powerOff();
        this.#later(() => member.start());
      }
    });
  }

  strike(kind: Strike): void {
    const { members, primary } = this.#simulation;
    // The one that serves is the one worth hitting.
    const prefersPrimary = primary !== undefined && this.#chance.happens(0.4);
    const victim = prefersPrimary ? primary : this.#chance.pick(members);
    if (this.#hit(kind, victim)) {
      this.#simulation.note(() => `fault ${kind} ${victim.id}`);
      this.#simulation.counts.add(`fault ${kind}`);
    }
  }

  /** @returns whether anything was done */
  #hit(kind: Strike, victim: SimMember): boolean {
    switch (kind) {
      case 'killDaemon':
      case 'powerOff':
      case 'powerOffAll':
      case 'crashNewLeader':
      case 'pause':
      case 'crashService':
      case 'killGuardian':
        return this.#hitProcess(kind, victim);
      case 'isolate':
      case 'cutLink':
      case 'cutOneWay':
      case 'deafLeader':
      case 'muteLeader':
      case 'partition':
      case 'partitionOneWay':
      case 'bridge':
      case 'swizzleClog':
        return this.#network.hit(kind, victim);
      case 'diskStall':
      case 'diskFull':
      case 'diskSlow':
      case 'syncError':
      case 'damage':
      case 'wipe':
        return this.#hitDisk(kind, victim);
      case 'switchover':
        return this.#switchover();
      case 'leaseChange':
        return this.#changeLease();
      case 'changeMembers':
        return this.#simulation.operator.change();
    }
  }

  #hitProcess(kind: Strike, victim: SimMember): boolean {
    switch (kind) {
      case 'killDaemon':
        victim.killDaemon();
        this.#later(() => victim.start());
        return true;
      case 'powerOff':
        victim.powerOff();
        this.#later(() => victim.start());
        return true;
      case 'powerOffAll':
        for (const member of this.#simulation.members) {
          member.powerOff();
          this.#later(() => member.start());
        }
        return true;
      case 'crashNewLeader':
        this.#ambushUntilMs = this.#simulation.world.nowMs + this.#chance.around(6 * LEASE_MS);
        if (victim.isLeading) victim.powerOff();
        this.#later(() => victim.start());
        return true;
      case 'pause':
        victim.pause();
        this.#later(() => victim.resume());
        return true;
      case 'crashService':
        victim.guardian.crashService();
        return true;
      default:
        victim.guardian.kill();
        return true;
    }
  }

  #hitDisk(kind: Strike, victim: SimMember): boolean {
    const { storage } = victim;
    switch (kind) {
      case 'diskStall':
        storage.stall();
        break;
      case 'diskFull':
        storage.fill();
        break;
      case 'diskSlow':
        storage.slow(this.#chance.acrossScales(5, 100));
        break;
      case 'syncError':
        storage.failSync();
        return true;
      default:
        return this.#lose(kind, victim);
    }
    this.#later(() => storage.relieve());
    return true;
  }

  #lose(kind: Strike, victim: SimMember): boolean {
    const { members, witness } = this.#simulation;
    if (victim.isBlank || !mayLose(victim, members, witness)) return false;
    if (kind === 'damage') victim.damage();
    // What keeps no data has nothing to fetch anew: its votes are what it is for.
    else if (victim.id === witness) return false;
    else victim.wipe();
    this.#later(() => victim.start());
    return true;
  }

  #switchover(): boolean {
    const { primary, members } = this.#simulation;
    if (primary === undefined) return false;
    const others = members.filter((member) => member !== primary);
    const to = this.#chance.happens(0.5) ? this.#chance.pick(others).id : undefined;
    primary.switchover = { to };
    return true;
  }

  /** A rolling change of the lease: some have it, some not yet (safety rule 2). */
  #changeLease(): boolean {
    const leaseMs = LEASE_MS * this.#chance.pick([0.7, 1, 1, 2]);
    for (const member of this.#simulation.members) {
      if (this.#chance.happens(0.7)) member.host?.setLeaseMs(leaseMs);
    }
    return true;
  }

  #later(act: () => void): void {
    const meanMs = LASTS_MEAN * LEASE_MS;
    this.#simulation.world.after(this.#chance.around(meanMs), () => {
      if (!this.#isOver) act();
    });
  }
}
