/** What a running node consists of, for those who report on it. */

import type { Config } from '../config/config.ts';
import type { Journal } from '../journal/journal.ts';
import type { ProbeReport } from '../net/http/node-port.ts';
import type { Transport } from '../net/transport/transport.ts';
import type { Member } from './member.ts';
import type { MemberChanges } from './members/member-changes.ts';
import type { Roster } from './members/roster.ts';
import type { PeerWatch } from './peer-watch.ts';
import type { GuardianPort } from './primary-control.ts';
import type { Replication } from './replication-port.ts';

/** The guardian, as far as reports need it. */
export interface GuardianView extends GuardianPort {
  readonly isConnected: boolean;
  readonly protection: string;
  readonly service: {
    readonly state: string;
    readonly pid: number | undefined;
    readonly crashes: number;
  };
  readonly addresses: readonly {
    readonly address: string;
    readonly held: boolean;
    readonly problem: string | undefined;
  }[];
  readonly announcements: number;
}

export interface ProbesView {
  readonly verdict: ProbeReport['verdict'];
  readonly reports: readonly ProbeReport[];
  readonly failureCounts: readonly { readonly probe: string; readonly count: number }[];
}

/** What is there only once the cluster is founded. */
export interface Running {
  readonly member: Member;
  readonly journal: Journal;
  /** Nothing of it was known to be lost when it was opened. */
  readonly wasWhole: boolean;
  readonly replication: Replication;
}

export interface NodeParts {
  readonly config: Config;
  readonly roster: Roster;
  readonly version: string;
  readonly guardian: GuardianView;
  readonly probes: ProbesView;
  readonly transport: Transport;
  readonly memberChanges: Pick<MemberChanges, 'step'>;
  readonly peers: PeerWatch;
  readonly counts: NodeCounts;
  /** Undefined until the cluster is founded. */
  readonly running: Running | undefined;
  /** Why this node takes no part in the cluster, in words. */
  readonly absence: string | undefined;
  /** Why the node stopped working, if it did. */
  readonly failure: Error | undefined;
  nowMs(): number;
}

/** Nothing is counted yet. */
export function freshCounts(): NodeCounts {
  const events = ['start', 'switchover', 'failover', 'restart'];
  return {
    leaderChanges: 0,
    renewalFailures: 0,
    driftFiles: 0,
    eventLoopLagSeconds: 0,
    failovers: new Map(events.map((event) => [event, 0])),
  };
}

/** What is counted since the start. */
export interface NodeCounts {
  leaderChanges: number;
  renewalFailures: number;
  driftFiles: number;
  eventLoopLagSeconds: number;
  readonly failovers: Map<string, number>;
}
