/**
 * Who could serve: this node, and the others as far as is known here.
 */

import type { Config } from '../config/config.ts';
import type { RaftHost } from '../consensus/host/raft-host.ts';
import type { Candidate } from '../service/decide/situation.ts';
import type { Roster, RosterMember } from './members/roster.ts';
import type { PeerWatch } from './peer-watch.ts';
import type { Replication } from './replication-port.ts';

/** What this node knows of itself besides its log and its files. */
export interface OwnFacts {
  readonly hasSpace: boolean;
  readonly isMuted: boolean;
  readonly isBarred: boolean;
  readonly isShuttingDown: boolean;
  readonly isGuardianLost: boolean;
}

export interface FitnessParts {
  readonly config: Config;
  readonly roster: Roster;
  readonly host: RaftHost;
  readonly replication: Replication;
  readonly peers: PeerWatch;
  facts(): OwnFacts;
}

const NO_SPACE = 'the journal has no space';

export class Fitness {
  readonly #parts: FitnessParts;

  constructor(parts: FitnessParts) {
    this.#parts = parts;
  }

  get #self(): string {
    return this.#parts.config.node.id;
  }

  get #own(): RosterMember | undefined {
    return this.#parts.roster.self;
  }

  /** The cluster's data begin with those of this node. */
  get #isOrigin(): boolean {
    return this.#parts.config.members.some(({ id, origin }) => id === this.#self && origin);
  }

  /** Why this node may not serve, whatever else holds. */
  get obstacle(): string | undefined {
    const { mode, missing, problem } = this.#parts.replication.status;
    const why = problem === undefined ? '' : `: ${problem}`;
    const { hasSpace, isMuted, isBarred, isGuardianLost, isShuttingDown } = this.#parts.facts();
    const own = this.#own;
    if (own === undefined) return 'it is no member of the cluster';
    if (own.standing !== 'voter') return `it is a ${own.standing}`;
    if (!own.canBePrimary) return 'it is not to be primary, says its configuration';
    if (mode === 'awaitingBaseline') return `the cluster's data are not indexed yet${why}`;
    if (mode === 'resyncing') return `it is fetching the state from another member${why}`;
    if (missing > 0) return `${missing} files are missing here`;
    if (isBarred) return 'its data directory is an older state of itself';
    if (isMuted) return 'its journal was damaged and is not whole again';
    if (!hasSpace) return NO_SPACE;
    if (isGuardianLost) return 'its guardian is lost';
    return isShuttingDown ? 'it is shutting down' : undefined;
  }

  /** Why this node, as primary, is to give its place to another, if one is ready. */
  get illness(): string | undefined {
    const { host, replication, facts } = this.#parts;
    if (!facts().hasSpace) return this.#canOthersCommit ? NO_SPACE : undefined;
    return host.isStorageStalled ? 'the disk stalls' : replication.status.lacksRoom;
  }

  /** Whether the record of a hand-over would be committed without this member's own disk. */
  get #canOthersCommit(): boolean {
    const { host } = this.#parts;
    const { voters } = host.membership;
    // With a witness the leader's own copy is one of those that are needed.
    if (host.copySet.length > 0) return false;
    const level = host
      .progress()
      .filter(({ id, isActive, state }) => id !== this.#self && isActive && state === 'replicate');
    return level.filter(({ id }) => voters.includes(id)).length > voters.length / 2;
  }

  /** Whether this node may stand for election: only who could serve, or is the origin. */
  get mayLead(): boolean {
    if (this.#parts.facts().isShuttingDown || this.#own?.canBePrimary !== true) return false;
    const { mode, missing } = this.#parts.replication.status;
    if (mode === 'awaitingBaseline') return this.#isOrigin;
    return mode !== 'resyncing' && missing === 0;
  }

  /** Other members, the one that is to be asked first at the front. */
  get candidates(): readonly Candidate[] {
    const { host, roster, peers } = this.#parts;
    const progress = host.progress();
    const others = roster.others
      .filter(({ standing, canBePrimary }) => standing === 'voter' && canBePrimary)
      .toSorted((a, b) => b.priority - a.priority);
    return others.map(({ id }) => {
      const member = progress.find((one) => one.id === id);
      const isLevel = member?.isActive === true && member.state === 'replicate';
      return { id, isReady: isLevel && peers.findFresh(id)?.canServe === true };
    });
  }

  /** Voters whose journal has the entry at `index`, and whose files lack nothing (rule 14). */
  copiesOf(index: number): number {
    const { host, peers, roster } = this.#parts;
    return host.progress().filter(({ id, match }) => {
      if (match < index || roster.find(id)?.standing !== 'voter') return false;
      return id === this.#self || peers.findFresh(id)?.missing === 0;
    }).length;
  }
}
