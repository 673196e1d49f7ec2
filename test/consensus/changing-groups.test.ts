/**
 * Groups whose configuration changes while messages are lost, members restart and leaders
 * come and go: what Raft promises (figure 3) holds under every schedule, reads are not old,
 * and with everybody back the group works again.
 */

import fc from 'fast-check';
import t from 'tap';
import type { ConfigChange, MemberChange } from '../../src/consensus/core/membership/change.ts';
import type { RaftCore } from '../../src/consensus/core/raft-core.ts';
import { CoreGroup } from '../support/core-group.ts';

const FOUNDERS = ['a', 'b', 'c'];
const IDS = ['a', 'b', 'c', 'd', 'e'];

type Act =
  | { readonly kind: 'tick'; readonly id: string; readonly count: number }
  | {
      readonly kind: 'work' | 'stand' | 'restart' | 'forget' | 'cut' | 'mend' | 'read';
      readonly id: string;
    }
  | { readonly kind: 'deliver'; readonly lost: number }
  | { readonly kind: 'settle' }
  | { readonly kind: 'propose'; readonly id: string }
  | { readonly kind: 'transfer'; readonly id: string; readonly to: string }
  | { readonly kind: 'change'; readonly id: string; readonly change: ConfigChange };

const id = fc.constantFrom(...IDS);
const memberChange: fc.Arbitrary<MemberChange> = fc.record({
  kind: fc.constantFrom<MemberChange['kind']>('addVoter', 'addLearner', 'remove'),
  id,
});
const change: fc.Arbitrary<ConfigChange> = fc.record({
  changes: fc.array(memberChange, { maxLength: 4 }),
  transition: fc.constantFrom('auto', 'implicit', 'explicit'),
  context: fc.constant(''),
});
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('tick'), id, count: fc.nat(12) }) },
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constantFrom('work', 'work', 'work', 'stand'), id }),
  },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('deliver'), lost: fc.nat(1 << 16) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('settle') }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('restart', 'forget'), id }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('cut', 'mend'), id }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('propose', 'read'), id }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('transfer'), id, to: id }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('change'), id, change }) },
);

/** Looks at a group after every act. */
class Watch {
  readonly group: CoreGroup;
  readonly #leaders = new Map<number, string>();
  readonly #committed: (string | undefined)[] = [];
  readonly #askedAt = new Map<string, number>();
  changes = 0;
  #asked = 0;
  #proposed = 0;

  constructor() {
    let drawn = 1;
    const random = (below: number) => {
      drawn = (drawn * 48_271) % 0x7f_ff_ff_ff;
      return drawn % below;
    };
    this.group = new CoreGroup(FOUNDERS, { random });
    for (const spare of IDS.slice(FOUNDERS.length)) this.group.start(spare);
  }

  do(act: Act): void {
    const { group } = this;
    switch (act.kind) {
      case 'tick':
        group.tick(act.id, act.count);
        break;
      case 'work':
        group.work(act.id);
        break;
      case 'forget':
        // The configuration is known again by the log and the durable commit alone.
        group.forgetPlaced(act.id);
        group.restart(act.id);
        break;
      case 'restart':
        group.restart(act.id);
        break;
      case 'cut':
        group.cut.add(act.id);
        break;
      case 'mend':
        group.cut.delete(act.id);
        break;
      case 'settle':
        group.settle();
        break;
      case 'deliver':
        group.inFlight = group.inFlight.filter((_, at) => ((act.lost >> (at % 16)) & 3) !== 3);
        group.deliver();
        break;
      case 'propose':
        this.#proposed += 1;
        group.propose(group.leader ?? act.id, `${this.#proposed}`);
        break;
      case 'stand':
        group.of(act.id).core.campaign();
        break;
      case 'read':
        this.#asked += 1;
        this.#askedAt.set(`${this.#asked}`, this.#committed.length - 1);
        this.#leading(act.id).readIndex(`${this.#asked}`);
        break;
      case 'transfer':
        this.#leading(act.id).transfer(act.to);
        break;
      case 'change':
        this.changes += this.#leading(act.id).proposeConfig(act.change).kind === 'accepted' ? 1 : 0;
        break;
    }
    this.#look();
  }

  /** Mostly who leads is asked, and any other now and then. */
  #leading(id: string): RaftCore {
    return this.group.of(id === 'c' ? id : (this.group.leader ?? id)).core;
  }

  #look(): void {
    for (const [name, { applied, reads }] of this.group.members) {
      for (const entry of applied) {
        const seen = `${entry.term}/${entry.index} ${Buffer.from(entry.data)}`;
        const known = this.#committed[entry.index] ?? seen;
        if (known !== seen) throw new Error(`${name} applied ${seen}, others ${known}`);
        this.#committed[entry.index] = seen;
      }
      for (const [token, index] of reads) {
        const least = this.#askedAt.get(token) ?? 0;
        if (index < least) throw new Error(`${name} read at ${index} what was ${least} already`);
      }
    }
    for (const [name, { core }] of this.group.members) {
      const { role, term } = core.status;
      if (role !== 'leader' || this.#leaders.get(term) === name) continue;
      const other = this.#leaders.get(term);
      if (other !== undefined) throw new Error(`${name} and ${other} lead term ${term}`);
      this.#leaders.set(term, name);
      for (const [index, seen] of this.#committed.entries()) {
        const committedIn = Number(seen?.split('/')[0]);
        if (seen === undefined || committedIn > term) continue;
        if (core.termAt(index) !== committedIn) throw new Error(`${name} leads without ${seen}`);
      }
    }
  }

  /** With all faults over there is a leader that takes and commits a proposal. */
  rest(): void {
    const { group } = this;
    group.cut.clear();
    for (let round = 0; round < 20; round += 1) {
      group.pass(20);
      this.#look();
      const { leader } = group;
      if (leader === undefined) continue;
      const { core } = group.of(leader);
      if (group.propose(leader, 'last').kind !== 'accepted') continue;
      group.pass(2);
      this.#look();
      if (core.status.commit < core.status.lastIndex) continue;
      const { outgoing, autoLeave } = core.membership;
      if (!(autoLeave && outgoing.length > 0)) return;
    }
    throw new Error('the group does not work again');
  }
}

t.test('whatever changes and whatever is lost, one leads a term and none forgets', async (t) => {
  let changes = 0;
  fc.assert(
    fc.property(fc.array(act, { minLength: 50, maxLength: 300, size: 'max' }), (acts) => {
      const watch = new Watch();
      for (const next of acts) watch.do(next);
      watch.rest();
      changes += watch.changes;
    }),
    { numRuns: 400 },
  );
  t.ok(changes > 200, `${changes} changes were made on the way`);
});
