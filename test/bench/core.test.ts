/** The bench of the bare cores measures what it says: commits of three members. */

import t from 'tap';
import { CoatyGroup } from '../../bench/consensus/core/coaty-group.ts';
import { commitsPerSecond } from '../../bench/consensus/core/core-workload.ts';
import { MailraftGroup } from '../../bench/consensus/core/mailraft-group.ts';

const SIDES = [
  ['mailraft', () => new MailraftGroup()],
  ['the other port', () => new CoatyGroup()],
] as const;

t.test('every entry that is proposed is committed, on both sides', async (t) => {
  for (const [name, make] of SIDES) {
    const group = make();
    t.equal(group.committed, 1, `${name}: the first entry of the term`);
    for (const batch of [1, 16, 183]) group.commit(batch);
    t.equal(group.committed, 201, name);
  }
});

t.test('a rate is of the commits in the measured time', async (t) => {
  for (const [name, make] of SIDES) {
    const group = make();
    const measureMs = 20;
    const rate = commitsPerSecond(group, 16, { warmUpMs: 0, measureMs });
    t.ok(rate > 0 && (rate * measureMs) / 1000 <= group.committed, `${name}: ${rate} per s`);
  }
});
