/** How a member of the bench's cluster is started: one JSON text as its only argument. */

export interface ServerMember {
  readonly id: string;
  readonly peerPort: number;
  readonly clientPort: number;
}

export interface ServerOptions {
  readonly id: string;
  readonly directory: string;
  readonly members: readonly ServerMember[];
  /** Shortest election timeout, and the length of the lease, in ms. */
  readonly electionMs: number;
}
