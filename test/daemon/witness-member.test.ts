/** The witness on a real journal: it keeps next to nothing, and forgets nothing that counts. */

import { join } from 'node:path';
import t, { type Test } from 'tap';
import { encodeCopySet } from '../../src/consensus/core/copies/decree.ts';
import { membershipOf } from '../../src/consensus/core/membership/membership.ts';
import type { Message } from '../../src/consensus/core/messages.ts';
import type { Entry } from '../../src/consensus/core/types.ts';
import type { PeerMessage } from '../../src/consensus/host/ports.ts';
import { WitnessMember } from '../../src/daemon/witness/witness-member.ts';
import { Journal } from '../../src/journal/journal.ts';
import { place } from '../config/sample.ts';
import { scratch } from '../support/scratch.ts';
import { until } from '../support/until.ts';

const MIB = 1024 * 1024;
const GROUP = membershipOf({ voters: ['a', 'b', 'w'], witness: 'w', copySet: ['a', 'b'] });
const FILE = `cluster: example
node: { id: w, dataDir: data }
members:
  - { id: a, address: 127.0.0.1:7400, origin: true }
  - { id: b, address: 127.0.0.1:7401 }
  - { id: w, address: 127.0.0.1:7402, role: witness }
peers: { tls: off }
timing: fast
`;
const NOTHING = Buffer.alloc(0);

interface Opened {
  readonly member: WitnessMember;
  readonly journal: Journal;
  readonly said: Message[];
  hear(message: Message): void;
  close(): Promise<void>;
}

async function open(t: Test, directory: string): Promise<Opened> {
  const { config } = place(t).check(FILE);
  if (config === undefined) throw new Error('the configuration is wrong');
  const journal = await Journal.open({ directory, segmentBytes: MIB, tag: 0, cacheBytes: MIB });
  const said: Message[] = [];
  const { index, membership } = journal.placed;
  const known = membership.voters.length > 0 ? membership : GROUP;
  const member = new WitnessMember({
    config,
    journal,
    placed: { index, membership: known },
    incarnation: '',
    send: ({ message }) => said.push(message),
    nowMs: () => performance.now(),
    random: () => 0,
    onMembership: () => undefined,
    onStanding: () => undefined,
    onSpace: () => undefined,
    onMuted: () => undefined,
    onFailed: (error) => t.fail(error.message),
  });
  return {
    member,
    journal,
    said,
    hear: (message) => {
      const sent: PeerMessage = { message, promiseMs: 0, fromIncarnation: '', toIncarnation: '' };
      member.receive([sent]);
    },
    close: async () => {
      member.close();
      await journal.close();
    },
  };
}

const entry = (index: number, parts: Partial<Entry> = {}): Entry => ({
  term: 1,
  index,
  kind: 'command',
  data: NOTHING,
  ...parts,
});

function append(prevIndex: number, entries: readonly Entry[], commit: number): Message {
  const prevTerm = prevIndex === 0 ? 0 : 1;
  return { type: 'append', from: 'a', to: 'w', term: 1, prevIndex, prevTerm, commit, entries };
}

t.test('its journal stays small, and what it must know outlives what it drops', async (t) => {
  const directory = join(scratch(t).path, 'journal');
  const witness = await open(t, directory);
  const COUNT = 200_000;
  const STEP = 1_000;
  const decree = entry(5, { kind: 'config', data: encodeCopySet(['a']) });
  for (let first = 1; first <= COUNT; first += STEP) {
    const entries = Array.from({ length: STEP }, (_, at) => entry(first + at));
    if (first === 1) entries[4] = decree;
    witness.hear(append(first - 1, entries, first - 1));
    const last = first + STEP - 1;
    await until(() => witness.journal.lastIndex === last, `entry ${last} is stored`, 5_000);
  }
  witness.hear(append(COUNT, [], COUNT));
  await until(() => witness.member.host.status.applied === COUNT, 'all is applied', 5_000);
  await until(() => witness.journal.firstIndex > COUNT / 2, 'the journal is cut', 5_000);
  t.ok(witness.journal.bytes < 3 * MIB, `${witness.journal.bytes} bytes of journal`);
  await witness.close();

  const again = await open(t, directory);
  t.equal(again.journal.lastIndex, COUNT);
  t.same(again.member.host.membership.copySet, ['a'], 'a decree whose entry is dropped');
  const ask = {
    type: 'preVote',
    from: 'b',
    to: 'w',
    term: 2,
    transfer: false,
    handover: 0,
  } as const;
  again.hear({ ...ask, lastIndex: COUNT - 1, lastTerm: 1 });
  again.hear({ ...ask, lastIndex: COUNT, lastTerm: 1 });
  await until(() => again.said.length === 2, 'both are answered', 5_000);
  t.match(again.said, [{ rejected: true }, { rejected: false }], 'who lacks something is refused');
  await again.close();
});

t.test('a state that is named is there at once', async (t) => {
  const witness = await open(t, join(scratch(t).path, 'journal'));
  witness.hear({ type: 'heartbeat', from: 'a', to: 'w', term: 3, commit: 0, round: 1 });
  const membership = { ...GROUP, copySet: ['a'] };
  const snapshot = { index: 70, term: 3, membership, membershipIndex: 60 };
  witness.hear({ type: 'snapshot', from: 'a', to: 'w', term: 3, snapshot });
  const isAnswered = () => witness.said.some(({ type }) => type === 'appendResponse');
  await until(isAnswered, 'it is acknowledged', 5_000);
  t.equal(witness.journal.lastIndex, 70);
  t.same(witness.member.host.membership.copySet, ['a']);
  await witness.close();
});
