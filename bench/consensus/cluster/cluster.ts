/** Three members of one system as processes of this machine. */

import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findFreePorts } from '../../../src/cli/demo/free-ports.ts';
import { MailraftError } from '../../../src/errors.ts';
import { openClient, type SystemName } from '../clients/open-client.ts';
import { type Program, RunningProcess } from './processes.ts';

export interface MemberPlace {
  readonly id: string;
  readonly directory: string;
  readonly peerPort: number;
  readonly clientPort: number;
}

export interface ClusterTimes {
  /** Shortest election timeout, in ms. */
  readonly electionMs: number;
  readonly heartbeatMs: number;
}

/** How one member of a system is started. */
export type MemberProgram = (
  self: MemberPlace,
  all: readonly MemberPlace[],
  times: ClusterTimes,
) => Program;

export interface System {
  readonly name: SystemName;
  readonly version: string;
  readonly program: MemberProgram;
}

export interface ClusterMember {
  readonly place: MemberPlace;
  process: RunningProcess;
}

export interface ClusterOptions {
  readonly directory: string;
  readonly times: ClusterTimes;
  /** Puts something between the machine and the member, for instance a disk that stalls. */
  readonly wrap?: (program: Program, place: MemberPlace) => Program;
}

const IDS = ['m1', 'm2', 'm3'];
const LEADER_MS_MAX = 60_000;
const LOOK_MS = 50;
/** A member that does not answer so long does not answer. */
const ANSWER_MS_MAX = 1000;

export class Cluster {
  readonly system: System;
  readonly members: readonly ClusterMember[];
  readonly #options: ClusterOptions;

  private constructor(system: System, options: ClusterOptions, places: readonly MemberPlace[]) {
    this.system = system;
    this.#options = options;
    this.members = places.map((place) => ({ place, process: this.#launch(place, places) }));
  }

  static async start(system: System, options: ClusterOptions): Promise<Cluster> {
    const ports = await findFreePorts(2 * IDS.length);
    const places = IDS.map((id, at) => ({
      id,
      directory: join(options.directory, id),
      peerPort: ports[2 * at] as number,
      clientPort: ports[2 * at + 1] as number,
    }));
    for (const { directory } of places) mkdirSync(directory, { recursive: true, mode: 0o700 });
    return new Cluster(system, options, places);
  }

  get pids(): readonly number[] {
    return this.members.map(({ process }) => process.pid);
  }

  /** The member that leads, as soon as there is one. */
  async leader(): Promise<ClusterMember> {
    const endAtMs = performance.now() + LEADER_MS_MAX;
    while (performance.now() < endAtMs) {
      const leads = await Promise.all(this.members.map((member) => this.#leads(member)));
      const leader = this.members[leads.indexOf(true)];
      if (leader !== undefined) return leader;
      await delay(LOOK_MS);
    }
    const words = this.members.map(({ process }) => process.words).join('\n');
    throw new MailraftError('NO_QUORUM', `no ${this.system.name} leads.\n${words}`);
  }

  /** Ends all members at once, as a loss of power would. */
  async kill(): Promise<void> {
    for (const { process } of this.members) process.signal('SIGKILL');
    await Promise.all(this.members.map(({ process }) => process.kill()));
  }

  /** Starts all members again on what they have on disk. */
  restart(): void {
    const places = this.members.map(({ place }) => place);
    for (const member of this.members) member.process = this.#launch(member.place, places);
  }

  /** Ends all members and removes what they left. */
  async stop(): Promise<void> {
    await this.kill();
    for (const { place } of this.members) rmSync(place.directory, { recursive: true, force: true });
  }

  #launch(place: MemberPlace, places: readonly MemberPlace[]): RunningProcess {
    const { times, wrap } = this.#options;
    const program = this.system.program(place, places, times);
    return new RunningProcess(wrap === undefined ? program : wrap(program, place));
  }

  async #leads({ place, process }: ClusterMember): Promise<boolean> {
    if (process.hasEnded) return false;
    const client = openClient(this.system.name, place.clientPort);
    const late = new AbortController();
    try {
      const answer = client.leads().catch(() => false);
      const silence = delay(ANSWER_MS_MAX, false, { signal: late.signal }).catch(() => false);
      return await Promise.race([answer, silence]);
    } finally {
      late.abort();
      client.close();
    }
  }
}
