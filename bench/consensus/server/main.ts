/**
 * One member of the bench's cluster: the consensus host, the journal and the transport
 * as the daemon has them, with a map of keys and values in the place of files.
 */

import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import {
  ELECTION_JITTER_TICKS,
  HEARTBEAT_TICKS,
  REPEAT_REQUEST_TICKS,
  TICKS_PER_LEASE,
} from '../../../src/config/timings.ts';
import { membershipOf } from '../../../src/consensus/core/membership/membership.ts';
import type { HostEvents, HostOptions } from '../../../src/consensus/host/ports.ts';
import { RaftHost } from '../../../src/consensus/host/raft-host.ts';
import { Journal } from '../../../src/journal/journal.ts';
import { WELCOMED } from '../../../src/net/transport/hello.ts';
import { Transport } from '../../../src/net/transport/transport.ts';
import { bootTimeMs } from '../../../src/platform/linux/clock.ts';
import { ClientDoor } from './client-door.ts';
import { KeyValues } from './key-values.ts';
import type { ServerOptions } from './server-options.ts';

const MIB = 1024 * 1024;
/** First byte of entries that the journal lists at its start: there are none. */
const NO_TAG = 255;
const CLUSTER = 'bench';

const options = JSON.parse(process.argv[2] ?? '{}') as ServerOptions;
await serve();

async function serve(): Promise<void> {
  const journal = await Journal.open({
    directory: join(options.directory, 'journal'),
    segmentBytes: 64 * MIB,
    tag: NO_TAG,
    cacheBytes: 64 * MIB,
  });
  const values = new KeyValues();
  const holder: { door?: ClientDoor } = {};
  const transport = makeTransport({
    onMessages: (messages) => {
      host.receive(messages);
      holder.door?.answerCommitted();
    },
    onUnreachable: (peer) => host.reportUnreachable(peer),
    onLink: () => undefined,
    onRolledBack: () => undefined,
  });
  const host: RaftHost = new RaftHost(hostOptions(), startOf(journal), {
    storage: journal,
    events: eventsOf(values, holder, () => host),
    readTenure: () => undefined,
    random: (below) => randomInt(below),
    send: (message) => transport.send(message),
    nowMs: bootTimeMs,
  });
  holder.door = new ClientDoor(host, values);
  await transport.start();
  const self = options.members.find(({ id }) => id === options.id);
  await holder.door.listen(self?.clientPort ?? 0);
  keepTime(host, holder.door);
}

function eventsOf(
  values: KeyValues,
  holder: { readonly door?: ClientDoor },
  host: () => RaftHost,
): HostEvents {
  return {
    onStanding: ({ role }) => {
      if (role !== 'leader') holder.door?.leadLost();
    },
    onApply: (work) => {
      values.apply(work.entries);
      host().applied(work);
      holder.door?.answerCommitted();
    },
    onStorageFailed: (error) => {
      throw error;
    },
    onMembership: () => undefined,
    onStateNeeded: () => undefined,
    onSpace: () => undefined,
    onMuted: () => undefined,
  };
}

/** Ticks as the daemon does: what peers sent is heard before the clock is looked at. */
function keepTime(host: RaftHost, door: ClientDoor): void {
  const tick = (): void => {
    setImmediate(() => {
      host.advance();
      door.answerCommitted();
      setTimeout(tick, host.tickMs);
    });
  };
  setTimeout(tick, host.tickMs);
}

function hostOptions(): HostOptions {
  return {
    id: options.id,
    leaseMs: options.electionMs,
    ticksPerLease: TICKS_PER_LEASE,
    core: {
      electionTicks: TICKS_PER_LEASE,
      electionJitterTicks: ELECTION_JITTER_TICKS,
      heartbeatTicks: HEARTBEAT_TICKS,
      repeatRequestTicks: REPEAT_REQUEST_TICKS,
      preVote: true,
      checkQuorum: true,
      appendBytesMax: MIB,
      inflightMessagesMax: 128,
      inflightBytesMax: 8 * MIB,
      uncommittedBytesMax: 32 * MIB,
      applyingBytesMax: 8 * MIB,
    },
  };
}

function startOf(journal: Journal): ConstructorParameters<typeof RaftHost>[1] {
  return {
    hardState: journal.hardState,
    membership: membershipOf({ voters: options.members.map(({ id }) => id) }),
    applied: journal.firstIndex - 1,
    longestPromiseMs: journal.promiseMs,
    tenureRecords: [],
    isMuted: journal.isMuted,
  };
}

function makeTransport(events: ConstructorParameters<typeof Transport>[1]): Transport {
  const endpoint = (port: number) => ({ host: '127.0.0.1', port });
  const self = options.members.find(({ id }) => id === options.id);
  const others = options.members.filter(({ id }) => id !== options.id);
  const identity = {
    ...{ cluster: CLUSTER, clusterId: CLUSTER, id: options.id, incarnation: 'one' },
    ...{ term: 0, vote: '', commit: 0, isWhole: true },
  };
  return new Transport(
    {
      listen: endpoint(self?.peerPort ?? 0),
      peers: new Map(others.map(({ id, peerPort }) => [id, endpoint(peerPort)])),
      tls: undefined,
      times: { pingMs: options.electionMs / 4, silenceMs: options.electionMs },
      handlers: new Map(),
      identity: () => identity,
      refusalOf: () => WELCOMED,
    },
    events,
  );
}
