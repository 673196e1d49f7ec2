/** The next step of every change of the members, for every state that it may find. */

import fc from 'fast-check';
import t from 'tap';
import {
  type MemberFacts,
  nextStep,
  type PlanFacts,
  type Step,
} from '../../../src/daemon/members/change-plan.ts';
import type { MemberRequest } from '../../../src/daemon/members/change-request.ts';
import { voteSafety } from '../../../src/daemon/members/vote-safety.ts';

function member(id: string, changes: Partial<MemberFacts> = {}): MemberFacts {
  return {
    ...{ id, standing: 'voter', incarnation: `${id}-old`, endpoint: undefined },
    ...{ address: `${id}:7400`, priority: 0, site: '', canBePrimary: true },
    ...{ isLive: true, lag: { entries: 0, bytes: 0 }, mode: 'following', missing: 0 },
    fetchedBytes: 0,
    ...changes,
  };
}

function facts(members: readonly MemberFacts[], changes: Partial<PlanFacts> = {}): PlanFacts {
  return {
    ...{ clusterId: 'k', leader: 'm1', candidate: undefined, isConfirmed: false },
    members,
    ...changes,
  };
}

const THREE = [member('m1'), member('m2'), member('m3')];
const add = (changes: object = {}): MemberRequest => ({
  ...{ kind: 'add', id: 'm4', address: 'm4:7400', isPromoted: false },
  ...changes,
});
const candidate = (changes: object = {}) => ({
  ...{ id: 'm4', incarnation: 'fresh', clusterId: '', isFresh: true },
  ...{ isWitness: false, fault: '' },
  ...changes,
});

function textOf(step: Step): string {
  switch (step.kind) {
    case 'refuse':
      return `${step.code} ${step.reason}`;
    case 'change':
      return `${step.change.kind} ${step.change.id}`;
    case 'wait':
      return `wait: ${step.progress}`;
    default:
      return `${step.kind}: ${step.phase}`;
  }
}

t.test('a fresh node is invited, then added as a learner with what is said of it', async (t) => {
  const invited = nextStep(add(), facts(THREE, { candidate: candidate() }));
  t.match(invited, { kind: 'invite', incarnation: 'fresh' });
  const joined = candidate({ clusterId: 'k' });
  const step = nextStep(add({ priority: 7, site: 'osaka' }), facts(THREE, { candidate: joined }));
  t.match(step, {
    kind: 'change',
    change: { kind: 'addLearner', detail: { incarnation: 'fresh' } },
  });
  const info = step.kind === 'change' ? JSON.parse(step.change.detail?.info ?? '') : undefined;
  t.same(info, { address: 'm4:7400', priority: 7, site: 'osaka', canBePrimary: true });
});

t.test('who can not be added is told why', async (t) => {
  const refusal = (found: PlanFacts['candidate'], request = add()) =>
    textOf(nextStep(request, facts(THREE, { candidate: found })));
  t.match(refusal(undefined), /^USAGE m4 is not known here: say where it is/);
  t.match(refusal({ problem: 'ECONNREFUSED' }), /^PRECONDITION_FAILED m4 can not be asked: ECONN/);
  t.match(refusal(candidate({ id: 'm9' })), /^REFUSED at m4:7400 is m9, not m4/);
  t.match(refusal(candidate({ fault: 'restored from a copy' })), /^REFUSED restored from a copy/);
  t.match(refusal(candidate({ clusterId: 'z' })), /^REFUSED m4 belongs to another cluster/);
  t.match(
    refusal(candidate({ clusterId: 'k', isFresh: false })),
    /^REFUSED the data directory of m4 \(incarnation fresh\) has taken part .* empty it/,
  );
});

t.test('an added learner is waited for, and has a vote only when that was asked for', async (t) => {
  const known = candidate({ incarnation: 'm4-old', clusterId: 'k', isFresh: false });
  const step = (changes: Partial<MemberFacts>, request = add()): string => {
    const members = [...THREE, member('m4', { standing: 'learner', ...changes })];
    return textOf(nextStep(request, facts(members, { candidate: known })));
  };
  const behind = { lag: { entries: 900, bytes: 5_000_000 } };
  t.match(step(behind), /^wait: 900 entries \(5000000 bytes\) and 0 files are missing/);
  t.match(step({ mode: 'resyncing', fetchedBytes: 12 }), /^wait: .* resyncing, 12 bytes of files/);
  t.match(step({ missing: 2 }), /^wait: .* 2 files are missing/);
  t.match(step({}), /^done: m4 is a learner, and has everything/);
  t.match(step(behind, add({ isPromoted: true })), /^wait/);
  t.match(step({}, add({ isPromoted: true })), /^addVoter m4/);
  t.match(step({ standing: 'voter' }, add({ isPromoted: true })), /^done: m4 is a voter/);
  t.match(step({ priority: 5 }, add({ priority: 6 })), /^update m4/);
  t.match(step({ address: 'elsewhere:1' }), /^update m4/);
});

t.test('a lost data directory is replaced: out with the old vote, in as a learner', async (t) => {
  const fresh = candidate({ id: 'm3', incarnation: 'new' });
  const again = add({ id: 'm3', address: 'm3:7400' });
  const dead = [member('m1'), member('m2'), member('m3', { isLive: false })];
  t.match(nextStep(again, facts(dead, { candidate: fresh })), {
    kind: 'change',
    change: { kind: 'remove', id: 'm3' },
    hadVote: true,
  });
  t.match(textOf(nextStep(again, facts(dead.slice(0, 2), { candidate: fresh }))), /^invite/);
  t.match(
    textOf(nextStep(again, facts(THREE, { candidate: fresh }))),
    /^REFUSED m3 runs with the data directory .*m3-old.* another node answers .*new/,
    'not while the old one runs',
  );
  const two = [member('m1'), member('m2', { isLive: false }), member('m3', { isLive: false })];
  t.match(
    textOf(nextStep(again, facts(two, { candidate: fresh }))),
    /^REFUSED 1 of then 2 voters would be live, and 2 are needed: bring back m2 first/,
  );
});

t.test('a learner that has not caught up is not promoted, with the figures', async (t) => {
  const promote = (changes: Partial<MemberFacts>): string => {
    const members = [...THREE, member('m4', { standing: 'learner', ...changes })];
    return textOf(nextStep({ kind: 'promote', id: 'm4' }, facts(members)));
  };
  t.match(
    promote({ lag: { entries: 257, bytes: 9 } }),
    /^PRECONDITION_FAILED m4 has not caught up: 257 entries \(9 bytes\) and 0 files .* at most 256/,
  );
  t.match(promote({ lag: { entries: 1, bytes: 2_000_000 } }), /^PRECONDITION_FAILED/);
  t.match(promote({ missing: 1 }), /^PRECONDITION_FAILED m4 has not caught up: .* 1 files/);
  t.match(promote({ isLive: false }), /^PRECONDITION_FAILED .*m4 does not answer/);
  t.match(promote({}), /^addVoter m4/);
});

t.test('an even number of votes is warned of', async (t) => {
  const members = [...THREE, member('m4', { standing: 'learner' })];
  t.match(nextStep({ kind: 'promote', id: 'm4' }, facts(members)), {
    warnings: ['4 voters survive no more failures than 3: add one more, or take one away'],
  });
});

t.test('a vote that the cluster can not spare is not taken', async (t) => {
  const remove = (id: string, members: readonly MemberFacts[], isConfirmed = false): string =>
    textOf(nextStep({ kind: 'remove', id }, facts(members, { isConfirmed })));
  t.match(
    remove('m2', THREE),
    /^REFUSED of the voters that are live now none could fail then, instead of 1: say --yes/,
  );
  t.match(remove('m2', THREE, true), /^remove m2/);
  const [one, two, three] = THREE as [MemberFacts, MemberFacts, MemberFacts];
  const lame = [one, two, { ...three, isLive: false }];
  t.match(remove('m2', lame, true), /^REFUSED 1 of then 2 voters would be live/, 'also with --yes');
  t.match(remove('m3', lame), /^remove m3/, 'one that is dead costs nothing');
  t.match(remove('m1', [one], true), /^REFUSED nobody would have a vote any more/);
  const four = [...THREE, member('m4')];
  t.match(remove('m4', four), /^remove m4/, 'three survive as much as four');
  const only = [one, { ...two, canBePrimary: false }, { ...three, canBePrimary: false }];
  t.match(remove('m1', only, true), /^REFUSED no member that can be primary would be left/);
});

t.test('a primary hands over before it leaves, or loses its vote', async (t) => {
  for (const kind of ['remove', 'demote'] as const) {
    const step = nextStep({ kind, id: 'm1' }, facts(THREE, { isConfirmed: true }));
    t.match(step, { kind: 'handOver' }, kind);
  }
});

t.test('what is done already is done again without harm', async (t) => {
  const learner = member('m4', { standing: 'learner' });
  const step = (request: MemberRequest): string =>
    textOf(nextStep(request, facts([...THREE, learner])));
  t.match(step({ kind: 'remove', id: 'm9' }), /^done: m9 is no member/);
  t.match(step({ kind: 'demote', id: 'm4' }), /^done: m4 is a learner/);
  t.match(step({ kind: 'promote', id: 'm2' }), /^done: m2 is a voter/);
  t.match(step({ kind: 'priority', id: 'm2', priority: 0 }), /^done: m2 has priority 0/);
  t.match(step({ kind: 'priority', id: 'm2', priority: 9 }), /^update m2/);
  t.match(step({ kind: 'remove', id: 'm4' }), /^remove m4/, 'a learner leaves without more ado');
  for (const request of [
    { kind: 'promote', id: 'm9' },
    { kind: 'priority', id: 'm9', priority: 1 },
  ] as const) {
    t.match(step(request), /^NOT_FOUND no member is called "m9": m1, m2, m3, m4/);
  }
});

t.test('a witness has its vote at once, and there is one', async (t) => {
  const witness = candidate({ clusterId: 'k', isWitness: true });
  const two = [member('m1'), member('m2')];
  t.match(nextStep(add(), facts(two, { candidate: witness })), {
    change: { kind: 'addWitness', id: 'm4', detail: { incarnation: 'fresh' } },
    warnings: [],
  });
  const other = [...two, member('m3', { standing: 'witness' })];
  t.match(
    textOf(nextStep(add(), facts(other, { candidate: witness }))),
    /^REFUSED m3 is the witness: remove it first/,
  );
});

t.test('a witness is neither promoted nor demoted', async (t) => {
  const members = [member('m1'), member('m2'), member('m3', { standing: 'witness' })];
  for (const kind of ['promote', 'demote'] as const) {
    t.match(
      textOf(nextStep({ kind, id: 'm3' }, facts(members))),
      /^REFUSED m3 is the witness/,
      kind,
    );
  }
});

t.test('no change of the votes leaves the live voters without a majority', async (t) => {
  const group = fc.array(fc.boolean(), { minLength: 1, maxLength: 7 });
  const property = fc.property(group, fc.nat(6), fc.boolean(), (lives, at, isConfirmed) => {
    const members = lives.map((isLive, index) =>
      member(`m${index + 1}`, { isLive: isLive || index === 0 }),
    );
    const gone = members[at % members.length] as MemberFacts;
    const step = nextStep({ kind: 'remove', id: gone.id }, facts(members, { isConfirmed }));
    if (step.kind !== 'change') return true;
    const left = members.filter(({ id }) => id !== gone.id);
    return left.filter(({ isLive }) => isLive).length > left.length / 2;
  });
  t.equal(fc.check(property).counterexample, null);
});

t.test('a loss is told exactly when fewer live voters may fail than before', async (t) => {
  const property = fc.property(fc.array(fc.boolean(), { minLength: 2, maxLength: 9 }), (lives) => {
    const voters = lives.map((_, index) => `m${index}`);
    const isLive = (id: string): boolean => lives[Number(id.slice(1))] === true;
    const spare = (ids: readonly string[]): number => {
      let failures = 0;
      const live = ids.filter(isLive).length;
      while (live - failures > ids.length / 2) failures += 1;
      return failures;
    };
    const after = voters.slice(1);
    const { loss, obstacle } = voteSafety({ voters, isLive }, after);
    const isStuck = after.filter(isLive).length <= after.length / 2;
    if ((obstacle !== undefined) !== isStuck) return false;
    const isLoss = spare(after) < spare(voters);
    return isStuck || spare(voters) === 0 || (loss !== undefined) === isLoss;
  });
  t.equal(fc.check(property).counterexample, null);
});
