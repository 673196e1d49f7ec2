/** The node's transport: who it dials, whom it listens to, and how it introduces itself. */

import { readFileSync } from 'node:fs';
import type { Config, Endpoint } from '../config/config.ts';
import type { RaftHost } from '../consensus/host/raft-host.ts';
import type { Journal } from '../journal/journal.ts';
import { type Refusal, WELCOMED } from '../net/transport/hello.ts';
import type { RpcHandler } from '../net/transport/rpc.ts';
import type { TlsFiles } from '../net/transport/security.ts';
import { type Identity, Transport, type TransportEvents } from '../net/transport/transport.ts';
import type { IdentityStore } from './identity.ts';
import { admit } from './members/admission.ts';
import type { Roster } from './members/roster.ts';
import type { SeenStates } from './members/seen-states.ts';

/** What a member that runs has, with data or without. */
export interface RunningMember {
  readonly member: { readonly host: RaftHost };
  readonly journal: Pick<Journal, 'hardStateNow'>;
  /** Nothing of the journal was known to be lost when it was opened. */
  readonly wasWhole: boolean;
}

export interface NodeTransportParts {
  readonly config: Config;
  readonly identity: IdentityStore;
  readonly roster: Roster;
  readonly seen: SeenStates;
  readonly handlers: ReadonlyMap<string, RpcHandler>;
  /** Undefined until the cluster is founded. */
  running(): RunningMember | undefined;
}

export function makeTransport(
  { config, identity, roster, seen, handlers, running }: NodeTransportParts,
  events: TransportEvents,
): Transport {
  const { peers, timing } = config;
  const self = (): Identity => {
    const journal = running()?.journal;
    const { term, vote, commit } = journal?.hardStateNow ?? { term: 0, vote: '', commit: 0 };
    const { cluster, id, incarnation, clusterId } = identity.current;
    const isWhole = running()?.wasWhole !== false;
    return { cluster, id, incarnation, clusterId, term, vote, commit, isWhole };
  };
  const refusalOf: (hello: Parameters<typeof admit>[0]) => Refusal = (hello) => {
    const verdict = admit(hello, {
      clusterId: identity.current.clusterId,
      members: roster.members,
      knowsLeader: (running()?.member.host.standing.leader ?? '') !== '',
      seen,
    });
    if (verdict.kind === 'welcome') return WELCOMED;
    return { reason: verdict.reason, isRolledBack: verdict.kind === 'rolledBack' };
  };
  return new Transport(
    {
      listen: peers.listen,
      // How far the storage of a member is must be known before it introduces itself.
      peers: identity.isFounded ? new Map() : endpointsOf(roster),
      tls: readTls(config),
      times: { pingMs: timing.leaseMs / 4, silenceMs: timing.leaseMs },
      handlers,
      identity: self,
      refusalOf,
    },
    events,
  );
}

/** Where each of the others is reached. */
export function endpointsOf({ others }: Roster): ReadonlyMap<string, Endpoint> {
  return new Map(
    others.flatMap(({ id, endpoint }) => (endpoint === undefined ? [] : [[id, endpoint]])),
  );
}

function readTls({ peers }: Config): TlsFiles | undefined {
  if (peers.tls === undefined) return undefined;
  const { ca, cert, key } = peers.tls;
  const read = (path: string): string => readFileSync(path, 'utf8');
  return { ca: read(ca), cert: read(cert), key: read(key) };
}
