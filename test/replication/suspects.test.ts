/** What must be read again after a start, because a loss of power may have taken it. */

import t from 'tap';
import { EMPTY_STATE } from '../../src/replication/committed-state.ts';
import { suspectsOf } from '../../src/replication/settle/suspects.ts';
import { Window } from '../../src/replication/settle/window.ts';

const entries = Array.from({ length: 20 }, (_, at) => ({ index: at + 1, data: Buffer.from('x') }));
const port = {
  readJournal: async (from: number, to: number) =>
    entries.filter(({ index }) => index >= from && index < to),
};
const state = { ...EMPTY_STATE, position: { index: 15, term: 2 }, synced: 11 };

t.test('what was applied and not synced is suspect', async (t) => {
  const suspects = await suspectsOf(state, port, { firstIndex: 1, lastIndex: 20 });
  t.match(suspects, [{ index: 12 }, { index: 13 }, { index: 14 }, { index: 15 }]);
});

t.test('everything is, where the journal does not tell', async (t) => {
  const lost = [
    { firstIndex: 1, lastIndex: 9 },
    { firstIndex: 1, lastIndex: 14 },
    { firstIndex: 13, lastIndex: 20 },
  ];
  for (const range of lost) t.equal(await suspectsOf(state, port, range), 'everything');
  const window = new Window();
  t.equal(window.isSuspect(1, 7), false);
  window.suspectAll();
  t.equal(window.isSuspect(1, 7), true);
});

t.test('nothing is, once everything was synced', async (t) => {
  const synced = { ...state, synced: 15 };
  t.same(await suspectsOf(synced, port, { firstIndex: 16, lastIndex: 15 }), []);
});
