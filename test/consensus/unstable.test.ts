/**
 * The tail of the log that is not known to be durable, against a plain list of entries.
 */

import fc from 'fast-check';
import t from 'tap';
import { Unstable } from '../../src/consensus/core/log/unstable.ts';
import type { Entry } from '../../src/consensus/core/types.ts';

type Act =
  | { readonly kind: 'append'; readonly back: number; readonly count: number }
  | { readonly kind: 'give' }
  | { readonly kind: 'stored'; readonly work: number }
  | { readonly kind: 'read'; readonly from: number };

const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({
    kind: fc.constant('append'),
    back: fc.nat(3),
    count: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({ kind: fc.constant('give') }),
  fc.record({ kind: fc.constant('stored'), work: fc.nat(4) }),
  fc.record({ kind: fc.constant('read'), from: fc.nat(6) }),
);

const idOf = ({ term, index }: Entry) => `${term}/${index}`;

t.test('what is handed on is what was appended, once, and never changes afterwards', async (t) => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
      const tail = new Unstable(1);
      let term = 1;
      /** The whole log, and how much of it is durable or handed out. */
      let log: Entry[] = [];
      let durable = 0;
      let given = 0;
      const handed: { readonly entries: readonly Entry[]; readonly ids: string[] }[] = [];
      const works: { readonly term: number; readonly index: number }[] = [];
      const note = (entries: readonly Entry[]) => handed.push({ entries, ids: entries.map(idOf) });
      for (const next of acts) {
        if (next.kind === 'append') {
          term += next.back > 0 ? 1 : 0;
          log = log.slice(0, Math.max(0, log.length - next.back));
          const entries = Array.from({ length: next.count }, (_, at): Entry => {
            const index = log.length + 1 + at;
            return { term, index, kind: 'command', data: Buffer.alloc(0) };
          });
          // What is replaced is durable no more, and must be handed out again.
          durable = Math.min(durable, log.length);
          given = Math.min(given, log.length);
          log = [...log, ...entries];
          tail.truncateAndAppend(entries);
        } else if (next.kind === 'give') {
          const entries = tail.nextEntries;
          t.strictSame(entries.map(idOf), log.slice(given).map(idOf));
          note(entries);
          tail.acceptInProgress();
          given = log.length;
          const last = log.at(-1);
          if (last !== undefined) works.push(last);
        } else if (next.kind === 'stored') {
          const [work] = works.splice(next.work, 1);
          if (work === undefined) continue;
          tail.stableTo(work);
          // The ABA race: it counts only for the very entry that stands there now.
          if (log[work.index - 1]?.term === work.term) durable = Math.max(durable, work.index);
        } else if (durable + next.from < log.length) {
          const entries = tail.slice(durable + 1 + next.from, log.length + 1);
          t.strictSame(entries.map(idOf), log.slice(durable + next.from).map(idOf));
          note(entries);
        }
        t.equal(tail.offset, durable + 1);
        t.equal(tail.lastIndex ?? durable, log.length);
        for (const { entries, ids } of handed) t.strictSame(entries.map(idOf), ids);
      }
    }),
    { numRuns: 500 },
  );
});
