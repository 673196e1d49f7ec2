/**
 * Looks for a way to serve, or to give the place away, without the right to: through
 * sequences of situations that are healthy but for a fact or two, and some that make
 * no sense at all.
 */

import fc from 'fast-check';
import t from 'tap';
import { decide } from '../../src/service/decide/decide.ts';
import { type Decision, type Life, SECONDARY } from '../../src/service/decide/life.ts';
import { isHeld } from '../../src/service/decide/orders.ts';
import type { Situation } from '../../src/service/decide/situation.ts';
import { ALL_HELD, leading, NOTHING_HELD, NOW_MS, SETTINGS } from './situations.ts';

const TERM = 2;

const anyGuardian = fc.option(
  fc.record({
    service: fc.constantFrom('stopped', 'starting', 'running', 'stopping'),
    isAddressHeld: fc.boolean(),
    areAddressesHeld: fc.boolean(),
    crashes: fc.nat(3),
    isOver: fc.boolean(),
    isLost: fc.boolean(),
  }),
  { nil: undefined },
);

const anyRecord = fc.option(
  fc
    .record({
      index: fc.nat(30),
      kind: fc.constantFrom('tenure', 'handover'),
      term: fc.integer({ min: 1, max: 3 }),
      holder: fc.constantFrom('a', 'b'),
      to: fc.constantFrom(undefined, 'a', 'b', 'c'),
    })
    // Only who leads a term writes records of it: anything else is a bug, and asserted.
    .map((record) => (record.term === TERM ? { ...record, holder: 'a' } : record)),
  { nil: undefined },
);

const anyFacts = {
  isLeader: fc.boolean(),
  term: fc.integer({ min: 1, max: 3 }),
  ledByTransfer: fc.boolean(),
  isCaughtUp: fc.boolean(),
  canServe: fc.boolean(),
  lastRecord: anyRecord,
  commitIndex: fc.nat(30),
  capture: fc.constantFrom('off', 'arming', 'armed'),
  isFlushed: fc.boolean(),
  guardian: anyGuardian,
  probes: fc.constantFrom('unknown', 'passing', 'failing'),
  candidates: fc.tuple(fc.boolean(), fc.boolean()).map(([b, c]) => [
    { id: 'b', isReady: b },
    { id: 'c', isReady: c },
  ]),
  transferTarget: fc.constantFrom(undefined, 'b'),
  switchover: fc.constantFrom(undefined, { to: undefined }, { to: 'b' }),
  isShuttingDown: fc.boolean(),
  illness: fc.constantFrom(undefined, 'the disk stalls'),
} as const;

type Fact = keyof typeof anyFacts;

const moments = fc.record({
  facts: fc.record(anyFacts),
  passedMs: fc.constantFrom(0, 1, 50, 3000, 7000, 40_000),
  isCommitting: fc.constantFrom(true, true, false),
  leaseLeftMs: fc.constantFrom(5000, 5000, 5000, 801, 800, 0, -1000),
  spoilt: fc.oneof(
    { weight: 6, arbitrary: fc.constant<Fact[]>([]) },
    { weight: 3, arbitrary: fc.subarray(Object.keys(anyFacts) as Fact[], { maxLength: 2 }) },
    { weight: 1, arbitrary: fc.constant(Object.keys(anyFacts) as Fact[]) },
  ),
});

type Moment = typeof moments extends fc.Arbitrary<infer M> ? M : never;

/** What a leader sees whose orders were all carried out, but for what this moment spoils. */
function after(last: Decision, before: Situation, moment: Moment): Situation {
  const { life, orders } = last;
  const nowMs = before.nowMs + moment.passedMs;
  const { commitIndex } = before;
  const proposed = orders.propose && {
    index: commitIndex + (moment.isCommitting ? 1 : 2),
    kind: orders.propose.kind,
    term: TERM,
    holder: 'a',
    to: 'to' in orders.propose ? orders.propose.to : undefined,
  };
  const healthy = leading({
    term: TERM,
    lastRecord: proposed ?? before.lastRecord,
    commitIndex: moment.isCommitting ? commitIndex + 1 : commitIndex,
    capture: orders.capture === 'on' ? 'armed' : 'off',
    isFlushed: orders.flush,
    guardian: life.phase === 'serving' ? ALL_HELD : NOTHING_HELD,
    probes: 'passing',
  });
  const spoilt = Object.fromEntries(moment.spoilt.map((fact) => [fact, moment.facts[fact]]));
  const leaseEndMs = nowMs + moment.leaseLeftMs;
  return { ...healthy, ...spoilt, nowMs, leaseEndMs } as Situation;
}

/** The right to serve, said once more in other words. */
function mayServe({ lastRecord, guardian, ...situation }: Situation): boolean {
  return (
    situation.isLeader &&
    lastRecord?.kind === 'tenure' &&
    lastRecord.term === situation.term &&
    lastRecord.holder === situation.self &&
    lastRecord.index <= situation.commitIndex &&
    situation.capture === 'armed' &&
    situation.leaseEndMs - situation.nowMs > SETTINGS.fenceLeadMs &&
    guardian !== undefined &&
    !guardian.isOver &&
    !guardian.isLost
  );
}

/** What is wrong with a decision in a situation, if anything. */
function fault({ life, orders }: Decision, situation: Situation): string | undefined {
  const { service, propose, transfer } = orders;
  const serves = service === 'serve' || service === 'restart';
  if (serves && !mayServe(situation)) return `${service} without the right to`;
  if (life.phase === 'secondary' && isHeld(situation)) return 'something held is forgotten';
  if (propose?.kind !== 'handover' && transfer === undefined) return undefined;
  if (isHeld(situation)) return 'a hand-over while something is held';
  if (!situation.isLeader) return 'a hand-over by one who does not lead';
  const record = situation.lastRecord;
  const isRecorded =
    record?.kind === 'handover' &&
    record.to === transfer?.to &&
    record.index === transfer?.handover &&
    record.index <= situation.commitIndex;
  return transfer === undefined || isRecorded ? undefined : 'a transfer without its record';
}

t.test(
  'whatever happens, nobody serves or gives the place away without the right to',
  async (t) => {
    const seen = new Set<string>();
    const sequences = fc.array(moments, { minLength: 10, maxLength: 60 });
    fc.assert(
      fc.property(sequences, (sequence) => {
        let situation = leading({ term: TERM, commitIndex: 10, nowMs: NOW_MS });
        let decision = decide(SECONDARY as Life, situation, SETTINGS);
        for (const moment of sequence) {
          situation = after(decision, situation, moment);
          decision = decide(decision.life, situation, SETTINGS);
          const problem = fault(decision, situation);
          if (problem !== undefined) throw new Error(`${problem}: ${JSON.stringify(situation)}`);
          seen.add(`${decision.life.phase} ${decision.orders.service}`);
          if (decision.orders.transfer !== undefined) seen.add('transfer');
        }
      }),
      { numRuns: 5000, seed: 1 },
    );
    const wanted = [
      'serving serve',
      'serving restart',
      'stopping stop',
      'fencing fence',
      'transfer',
    ];
    for (const some of wanted) t.ok(seen.has(some), `"${some}" was among the decisions`);
  },
);
