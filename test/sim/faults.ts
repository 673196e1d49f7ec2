/**
 * What goes wrong in a simulation. Each seed draws the kinds it suffers from
 * (swarm testing: a run with few kinds goes deeper than one with all of them).
 */

import { termAt } from './disk.ts';
import type { SimMember } from './member.ts';
import type { Chance } from './random.ts';
import type { Simulation } from './simulation.ts';

type Kind =
  | 'killDaemon'
  | 'powerOff'
  | 'powerOffAll'
  | 'pause'
  | 'crashService'
  | 'killGuardian'
  | 'switchover'
  | 'cutOne'
  | 'cutLink'
  | 'cutOneWay'
  | 'diskHang'
  | 'diskFull'
  | 'damage';

export const FAULT_KINDS: readonly Kind[] = [
  'killDaemon',
  'powerOff',
  'powerOffAll',
  'pause',
  'crashService',
  'killGuardian',
  'switchover',
  'cutOne',
  'cutLink',
  'cutOneWay',
  'diskHang',
  'diskFull',
  'damage',
];

export class Faults {
  readonly #simulation: Simulation;
  readonly #chance: Chance;
  readonly #kinds: readonly Kind[];
  readonly #meanMs: number;
  #isOver = false;

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
    this.#chance = simulation.chance.fork();
    const share = this.#chance.between(0.2, 0.9);
    const drawn = FAULT_KINDS.filter(() => this.#chance.happens(share));
    this.#kinds = drawn.length > 0 ? drawn : FAULT_KINDS;
    this.#meanMs = this.#chance.between(300, 6000);
  }

  begin(): void {
    this.#simulation.world.after(this.#chance.around(this.#meanMs), () => {
      if (this.#isOver) return;
      this.#strike(this.#chance.pick(this.#kinds));
      this.begin();
    });
  }

  end(): void {
    this.#isOver = true;
  }

  #strike(kind: Kind): void {
    const { members, primary } = this.#simulation;
    // The one that serves is the one worth hitting.
    const prefersPrimary = primary !== undefined && this.#chance.happens(0.5);
    const victim = prefersPrimary ? primary : this.#chance.pick(members);
    this.#simulation.note(`fault ${kind} ${victim.id}`);
    this.#simulation.count(`fault ${kind}`);
    this.#hit(kind, victim);
  }

  #hit(kind: Kind, victim: SimMember): void {
    const { members } = this.#simulation;
    switch (kind) {
      case 'killDaemon':
        victim.killDaemon();
        this.#later(1500, () => this.#startAgain(victim));
        return;
      case 'powerOff':
        victim.powerOff();
        this.#later(1500, () => this.#startAgain(victim));
        return;
      case 'powerOffAll':
        for (const member of members) {
          member.powerOff();
          this.#later(500, () => this.#startAgain(member));
        }
        return;
      case 'damage':
        this.#damage(victim);
        return;
      case 'pause':
        victim.pause();
        this.#later(1200, () => victim.resume());
        return;
      case 'crashService':
        victim.guardian.crashService();
        return;
      case 'killGuardian':
        victim.guardian.kill();
        return;
      case 'switchover':
        this.#switchover();
        return;
      case 'cutOne':
      case 'cutLink':
      case 'cutOneWay':
        this.#cut(kind, victim);
        return;
      case 'diskHang':
      case 'diskFull':
        this.#hurtDisk(kind, victim.id);
        return;
    }
  }

  /** One at a time: with two of them what is committed may be nowhere left. */
  #damage(victim: SimMember): void {
    const disks = [...this.#simulation.disks.values()];
    if (disks.some(({ durable }) => durable.isMuted)) return;
    if (!this.#hasOtherCopy(victim.id)) return;
    victim.damage();
    this.#later(1500, () => this.#startAgain(victim));
  }

  /** With a witness one member may have the only copy of what is committed. */
  #hasOtherCopy(victim: string): boolean {
    const { disks, witness } = this.#simulation;
    if (witness === undefined) return true;
    const known = [witness, victim].flatMap((id) => disks.get(id)?.durable ?? []);
    const others = [...disks].filter(([id]) => id !== victim && id !== witness);
    return others.some(([, { durable }]) =>
      // What was sent by the victim may yet arrive at the witness.
      known.every((image) => {
        const last = image.base.index + image.count;
        return termAt(durable, last) === termAt(image, last);
      }),
    );
  }

  #switchover(): void {
    const { primary, members } = this.#simulation;
    if (primary === undefined) return;
    const others = members.filter((member) => member !== primary);
    const to = this.#chance.happens(0.5) ? this.#chance.pick(others).id : undefined;
    primary.switchover = { to };
  }

  #cut(kind: 'cutOne' | 'cutLink' | 'cutOneWay', victim: SimMember): void {
    const { network, members } = this.#simulation;
    const others = members.filter((member) => member !== victim);
    const ends = kind === 'cutOne' ? others : [this.#chance.pick(others)];
    for (const other of ends) {
      network.cut(victim.id, other.id);
      if (kind !== 'cutOneWay') network.cut(other.id, victim.id);
    }
    this.#later(2500, () => {
      for (const other of ends) {
        network.heal(victim.id, other.id);
        network.heal(other.id, victim.id);
      }
    });
  }

  #hurtDisk(kind: 'diskHang' | 'diskFull', id: string): void {
    const disk = this.#simulation.disks.get(id);
    if (disk === undefined) return;
    if (kind === 'diskHang') disk.isHanging = true;
    else disk.isFull = true;
    this.#later(1500, () => disk.relieve());
  }

  #startAgain(member: SimMember): void {
    if (!member.isUp) member.start();
  }

  #later(meanMs: number, act: () => void): void {
    this.#simulation.world.after(this.#chance.around(meanMs), () => {
      if (!this.#isOver) act();
    });
  }
}
