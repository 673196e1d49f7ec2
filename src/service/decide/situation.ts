/**
 * What a node knows when it decides about its service: facts of one moment.
 *
 * Plain data, so that a case seen in the field can be written down and decided
 * again.
 */

/** The last tenure record in the node's own log. */
export interface LastRecord {
  readonly index: number;
  readonly kind: 'tenure' | 'handover';
  readonly term: number;
  readonly holder: string;
  /** Target of a hand-over. */
  readonly to: string | undefined;
}

/**
 * What the guardian last reported, or worse: an order to serve that it has not answered
 * yet counts as carried out, so that nothing is ever held without being seen here.
 */
export interface GuardianFacts {
  readonly service: 'stopped' | 'starting' | 'running' | 'stopping';
  /** Whether any shared address is held. */
  readonly isAddressHeld: boolean;
  /** Whether all shared addresses are held. */
  readonly areAddressesHeld: boolean;
  /** How often the service ended without being asked to, in this tenure. */
  readonly crashes: number;
  /** The tenure passed its fence time: nothing revives it. */
  readonly isOver: boolean;
  /** It died or does not answer; the other facts are its last words. */
  readonly isLost: boolean;
}

/** Another member that might take over. */
export interface Candidate {
  readonly id: string;
  /** In sync, eligible and answering. */
  readonly isReady: boolean;
}

export interface Situation {
  readonly nowMs: number;
  readonly self: string;
  readonly isLeader: boolean;
  readonly term: number;
  /** This lead was given by a hand-over instead of won after a lease had ended. */
  readonly ledByTransfer: boolean;
  /** The own term's no-op is committed and every entry up to it is applied to the files. */
  readonly isCaughtUp: boolean;
  /** This node has all data, may be primary, and its journal takes writes. */
  readonly canServe: boolean;
  /** Why not, for people. */
  readonly obstacle: string | undefined;
  /** End of the lease; 0 without one. */
  readonly leaseEndMs: number;
  readonly lastRecord: LastRecord | undefined;
  readonly commitIndex: number;
  readonly capture: 'off' | 'arming' | 'armed';
  /** Everything that the stopped service left is committed. */
  readonly isFlushed: boolean;
  /** Undefined while there is no guardian, and nothing is held. */
  readonly guardian: GuardianFacts | undefined;
  readonly probes: 'unknown' | 'passing' | 'failing';
  /** The other members, the one to be preferred first. */
  readonly candidates: readonly Candidate[];
  /** Where a transfer that the core carries out is going. */
  readonly transferTarget: string | undefined;
  /** A switchover that was asked for. */
  readonly switchover: { readonly to: string | undefined } | undefined;
  /** Stop for good: the daemon was told to end. */
  readonly isShuttingDown: boolean;
  /** Something on this machine makes another node the better primary. */
  readonly illness: string | undefined;
}

/** Settings that decisions depend on, all times in ms. */
export interface DecideSettings {
  readonly leaseMs: number;
  /** From the fence time to the end of the lease. */
  readonly fenceLeadMs: number;
  readonly startDeadlineMs: number;
  readonly restartsMax: number;
  readonly restartsWithinMs: number;
}
