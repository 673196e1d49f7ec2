/** Changes of the members at the leader: one at a time, each step as the plan has it. */

import t from 'tap';
import type { Config } from '../../../src/config/config.ts';
import type { ConfigChange } from '../../../src/consensus/core/membership/change.ts';
import { membershipOf } from '../../../src/consensus/core/membership/membership.ts';
import { changed } from '../../../src/consensus/core/membership/reconfigure.ts';
import type { Membership } from '../../../src/consensus/core/types.ts';
import { MemberChanges } from '../../../src/daemon/members/member-changes.ts';
import { encodeInfo } from '../../../src/daemon/members/member-info.ts';
import { Roster } from '../../../src/daemon/members/roster.ts';
import type { Running } from '../../../src/daemon/node-parts.ts';
import type { PeerWatch } from '../../../src/daemon/peer-watch.ts';

const info = (id: string): string =>
  encodeInfo({ address: `${id}:7400`, priority: 0, site: '', canBePrimary: true });
const START = membershipOf({
  voters: ['m1', 'm2', 'm3'],
  details: Object.fromEntries(
    ['m1', 'm2', 'm3'].map((id) => [id, { incarnation: `${id}-1`, info: info(id) }]),
  ),
});

/** A leader whose proposals are committed at once, or dropped. */
function leading(): {
  readonly changes: MemberChanges;
  readonly roster: Roster;
  readonly asked: string[];
  state: {
    nowMs: number;
    role: string;
    dropped: string | undefined;
    candidate: Record<string, unknown>;
    membership: Membership;
  };
} {
  const state = {
    nowMs: 0,
    role: 'leader',
    dropped: undefined as string | undefined,
    candidate: {
      id: 'm4',
      incarnation: 'm4-1',
      clusterId: '',
      isFresh: true,
      isWitness: false,
      fault: '',
    },
    membership: START,
  };
  const asked: string[] = [];
  const file = { node: { id: 'm1', dataDir: '' }, members: [] } as unknown as Config;
  const roster = new Roster(file, () => undefined);
  roster.adopt(START);
  const brief = (id: string) => ({
    ...{ incarnation: `${id}-1`, isBarred: false, mode: 'following', missing: 0, fetchedBytes: 0 },
  });
  const status = { commit: 0, lastIndex: 0 };
  const running = {
    member: {
      brief: brief('m1'),
      lags: { lag: () => ({ entries: 0, bytes: 0, seconds: 0 }) },
      host: {
        status,
        progress: () => [],
        get standing() {
          return { role: state.role, term: 5 };
        },
        proposeConfig(change: ConfigChange) {
          if (state.dropped !== undefined) return { kind: 'dropped', reason: state.dropped };
          state.membership = changed(state.membership, change);
          roster.adopt(state.membership);
          status.lastIndex += 1;
          status.commit = status.lastIndex;
          return { kind: 'accepted', first: status.lastIndex, last: status.lastIndex };
        },
      },
    },
  } as unknown as Running;
  const changes = new MemberChanges({
    identity: { current: { id: 'm1', clusterId: 'k', members: [] } as never },
    roster,
    transport: {
      askAt: async ({ id }, method) => {
        asked.push(`${method} ${id}`);
        if (method === 'found.join') state.candidate['clusterId'] = 'k';
        return state.candidate;
      },
    },
    peers: () => ({ findFresh: (id: string) => brief(id) }) as unknown as PeerWatch,
    running: () => running,
    nowMs: () => state.nowMs,
  });
  return { changes, roster, asked, state };
}

const question = (token: string, request: object, more: object = {}) => ({
  ...{ token, request, isConfirmed: false, isDryRun: false },
  ...more,
});
const ADD = { kind: 'add', id: 'm4', address: 'm4:7400', isPromoted: true };

t.test('a node is invited, added and given its vote, each step after the one before', async (t) => {
  const { changes, asked, state } = leading();
  const answer = await changes.step(question('one', ADD));
  t.match(answer, {
    state: 'done',
    steps: ['inviting m4', 'adding m4 as a learner', 'giving m4 a vote'],
    phase: 'm4 is a voter',
    warnings: [/4 voters survive no more failures than 3/],
  });
  t.same(asked, ['member.introduce m4', 'found.join m4', 'member.introduce m4']);
  t.same(state.membership.voters, ['m1', 'm2', 'm3', 'm4']);
  t.match(state.membership.details['m4'], { incarnation: 'm4-1' });
});

t.test('a dry run tells the first step and takes none', async (t) => {
  const { changes, asked, state } = leading();
  const answer = await changes.step(question('one', ADD, { isDryRun: true }));
  t.match(answer, { state: 'done', steps: [], phase: 'inviting m4' });
  t.same(asked, ['member.introduce m4']);
  t.equal(state.membership, START);
});

t.test('another change waits until the one under way has ended, or nobody asks on', async (t) => {
  const { changes, state } = leading();
  state.dropped = 'changePending';
  const first = await changes.step(question('one', { kind: 'priority', id: 'm2', priority: 9 }));
  t.match(first, { state: 'again', steps: [] });
  const second = question('two', { kind: 'priority', id: 'm3', priority: 9 });
  await t.rejects(changes.step(second), {
    code: 'PRECONDITION_FAILED',
    message: /another change is under way, priority m2 9: wait/,
  });
  state.nowMs += 15_000;
  t.match(await changes.step(second), { state: 'again' }, 'it was given up');
  state.dropped = undefined;
  t.match(await changes.step(second), { state: 'done', phase: 'm3 has priority 9' });
  t.match(
    await changes.step(question('three', { kind: 'demote', id: 'm3' }, { isConfirmed: true })),
    {
      state: 'done',
      steps: ['taking the vote of m3'],
    },
  );
});

t.test('who does not lead decides nothing, and nonsense is refused', async (t) => {
  const { changes, state } = leading();
  await t.rejects(changes.step({ token: 'one' }), { code: 'DATA_INVALID' });
  state.role = 'follower';
  await t.rejects(changes.step(question('one', ADD)), { code: 'NOT_LEADER' });
});

t.test('a refusal frees the way for the next change', async (t) => {
  const { changes } = leading();
  await t.rejects(changes.step(question('one', { kind: 'remove', id: 'm2' })), { code: 'REFUSED' });
  t.match(
    await changes.step(question('two', { kind: 'remove', id: 'm1' }, { isConfirmed: true })),
    {
      state: 'handOver',
    },
  );
});

t.test('a candidate that does not answer is a reason', async (t) => {
  const { changes, state } = leading();
  state.candidate = { id: 'm4' };
  await t.rejects(changes.step(question('one', ADD)), {
    code: 'PRECONDITION_FAILED',
    message: /m4 can not be asked: the node answers in a way that is not understood/,
  });
});
