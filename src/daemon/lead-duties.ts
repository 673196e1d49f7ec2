/**
 * Decrees that a leader sees to: the baseline, the length of the lease, the floor of
 * the journal, and the record of its own coming to serve.
 */

import type { Config } from '../config/config.ts';
import type { RaftHost } from '../consensus/host/raft-host.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../platform/log.ts';
import { encodeDecree } from '../replication/command/codec.ts';
import type { Decree } from '../replication/command/decree.ts';
import { floorToPropose } from './journal-floor.ts';
import type { Roster } from './members/roster.ts';
import type { PeerWatch } from './peer-watch.ts';
import type { Proposals } from './proposals.ts';
import type { Replication } from './replication-port.ts';

export interface LeadDutiesParts {
  readonly config: Config;
  readonly roster: Roster;
  readonly log: Logger;
  readonly host: RaftHost;
  readonly replication: Replication;
  readonly proposals: Proposals;
  readonly peers: PeerWatch;
  readonly journal: { readonly bytes: number };
}

export class LeadDuties {
  readonly #parts: LeadDutiesParts;
  #isBaselining = false;
  /** The term in which the length of the lease was last proposed. */
  #settingsTerm = 0;

  constructor(parts: LeadDutiesParts) {
    this.#parts = parts;
  }

  /** Proposes what is due; cheap when nothing is. */
  step(): void {
    const { host, replication, config } = this.#parts;
    if (host.standing.role !== 'leader' || !host.hasCommittedOwnTerm) return;
    const { mode, state } = replication.status;
    const { leaseMs } = config.timing;
    if (state.leaseMs !== leaseMs && this.#settingsTerm !== host.standing.term) {
      this.#settingsTerm = host.standing.term;
      this.propose({ kind: 'settings', leaseMs });
    }
    if (mode === 'awaitingBaseline' && this.#isOrigin) this.#makeBaseline();
  }

  /** Raises the floor of the journal, if that is worth it. */
  keepHouse(): void {
    const { journal, config, peers, replication, roster } = this.#parts;
    const index = floorToPropose({
      floor: replication.status.state.floor,
      ownNeed: neededFrom(replication),
      needs: roster.others.map(({ id }) => peers.find(id)?.brief.neededFrom),
      journalBytes: journal.bytes,
      maxSizeBytes: config.journal.maxSizeBytes,
    });
    if (index !== undefined) this.propose({ kind: 'floor', index });
  }

  /** Proposes a decree whose loss would cost nothing: whoever leads proposes it again. */
  propose(decree: Decree): void {
    const { log, proposals } = this.#parts;
    const tell = (error: unknown) =>
      log.warn({ decree: decree.kind, reason: messageOf(error) }, 'a decree was not committed');
    proposals.decree(encodeDecree(decree)).catch(tell);
  }

  get #isOrigin(): boolean {
    const { members, node } = this.#parts.config;
    return members.find(({ id }) => id === node.id)?.origin === true;
  }

  #makeBaseline(): void {
    if (this.#isBaselining) return;
    this.#isBaselining = true;
    void this.#baseline().then((isMade) => {
      // One that is made is not asked for again, however late replication tells of it.
      this.#isBaselining = isMade;
    });
  }

  async #baseline(): Promise<boolean> {
    const { log, replication, proposals } = this.#parts;
    log.info({}, 'indexing the data that the cluster starts from');
    try {
      const decree = await replication.makeBaseline();
      await proposals.decree(encodeDecree(decree));
      log.info({ volumes: decree.volumes }, 'the data that the cluster starts from are indexed');
      return true;
    } catch (error) {
      log.warn({ reason: messageOf(error) }, 'the data must be indexed again');
      return false;
    }
  }
}

/** Where the journal is needed from: what is not synced here, and what others still fetch. */
export function neededFrom({ status }: Replication): number {
  return Math.min(status.state.synced + 1, status.neededFrom ?? Number.POSITIVE_INFINITY);
}
