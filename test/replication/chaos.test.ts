/** Whatever is done in a volume, in whatever order, is in its copy after a barrier. */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { Pair } from './pair.ts';
import { randomFrom, Vandal } from './vandal.ts';

const SEEDS = Number(process.env['SEEDS'] ?? 6);
const FIRST = Number(process.env['SEED'] ?? 1 + Math.floor(Math.random() * 2 ** 30));
const ROUNDS = Number(process.env['ROUNDS'] ?? 6);
const OPERATIONS = Number(process.env['OPERATIONS'] ?? 150);

// The machine may be busy with other things.
t.setTimeout(120_000);

for (let seed = FIRST; seed < FIRST + SEEDS; seed += 1) {
  t.test(`a copy is equal after each barrier, SEED=${seed}`, async (t) => {
    const random = randomFrom(seed);
    const pair = await Pair.open(t);
    const vandal = new Vandal(pair.primary.path, random);
    for (const name of ['d0', 'd1', 'd0/d2']) mkdirSync(join(pair.primary.path, name));
    for (let round = 0; round < ROUNDS; round += 1) {
      for (let at = 0; at < OPERATIONS; at += 1) {
        vandal.act();
        // In every other round capture looks while things change.
        if (round % 2 === 1 && random(4) === 0) await setImmediate();
      }
      t.same(await pair.settle(), [], `round ${round}: all covered`);
      t.same(await pair.differences(), [], `round ${round}: equal trees`);
      t.equal(pair.primary.treeHash, pair.follower.treeHash, `round ${round}: equal hashes`);
    }
  });
}
