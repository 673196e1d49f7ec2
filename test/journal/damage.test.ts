/**
 * Bytes of the journal that are not what they were: found, told, never given out, and
 * remembered until everything is there again. What the others could not tell this node
 * again survives.
 */

import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { membershipOf } from '../../src/consensus/core/membership/membership.ts';
import { JournalWriter } from '../../src/journal/journal-writer.ts';
import { batchOf, entry, hard, TAG } from './batches.ts';
import { FaultyFiles } from './faulty-files.ts';
import { logOf, numbered, open, segmentsOf } from './opened.ts';

/** Changes one bit of the file where `text` stands, and of as many further such places. */
function flip(path: string, text: string, times = 1): void {
  const bytes = readFileSync(path);
  for (let time = 0; time < times; time += 1) {
    const at = bytes.indexOf(text);
    if (at < 0) throw new Error(`${path} has no ${text}`);
    bytes[at] = (bytes[at] ?? 0) ^ 4;
  }
  writeFileSync(path, bytes);
}

/** Both copies of a segment's head. */
const flipHead = (path: string): void => flip(path, '"ordinal"', 2);

const segment = (directory: string, at: number): string => segmentsOf(directory).at(at) ?? '';

t.test(
  'a bit flipped anywhere is found, or changes nothing; no wrong byte is ever given out',
  async (t) => {
    const { writer, directory } = open(t);
    writer.write([batchOf([], { promiseMs: 6000 })]);
    for (let index = 1; index <= 12; index += 1) {
      writer.write([batchOf([entry(1, index)], { hardState: hard(1, index - 1, 'b') })]);
    }
    const before = logOf(writer);
    const bytes = readFileSync(segmentsOf(directory)[0] ?? '');
    const outcomes = { harmless: 0, found: 0 };
    const bit = fc.record({ at: fc.nat(bytes.length - 1), bit: fc.nat(7) });
    fc.assert(
      fc.property(bit, ({ at, bit }) => {
        const flipped = Buffer.from(bytes);
        flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
        const copy = t.testdir({ journal: {} });
        writeFileSync(join(copy, 'journal', '0000000001.segment'), flipped);
        const options = { directory: join(copy, 'journal'), segmentBytes: 1 << 20, tag: TAG };
        const again = new JournalWriter(new FaultyFiles(), options);
        const now = logOf(again);
        const isPrefix = now.every((text, index) => text === before[index]);
        const { term, vote } = again.log.hardState;
        const isTrue = isPrefix && term === 1 && vote === 'b' && again.log.promiseMs === 6000;
        const isFound = again.log.damage !== undefined;
        if (isFound) outcomes.found += 1;
        else outcomes.harmless += 1;
        const isWhole = now.length === before.length && again.log.hardState.commit === 11;
        return isTrue && (isFound ? again.isMuted : isWhole);
      }),
      { numRuns: 1500 },
    );
    t.ok(outcomes.found > 600 && outcomes.harmless > 300, JSON.stringify(outcomes));
  },
);

t.test('a flip in the last acknowledged batch is damage, not a torn tail', async (t) => {
  const { writer, directory, reopen } = open(t);
  writer.write([batchOf(numbered(1, 3), { hardState: hard(1, 0) })]);
  writer.write([batchOf(numbered(4, 4))]);
  const [path = ''] = segmentsOf(directory);
  const bytes = readFileSync(path);
  bytes[bytes.length - 14] = (bytes[bytes.length - 14] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  const again = reopen();
  t.match(again.log.damage, { ordinal: 1, reason: 'a record does not match its checksum' });
  t.equal(again.log.lastIndex, 3);
});

t.test('a segment that lost its end is damage when another follows it', async (t) => {
  const { writer, directory, reopen } = open(t, 200);
  writer.write([batchOf([], { hardState: hard(1, 0) })]);
  for (let index = 1; index <= 20; index += 1) writer.write([batchOf([entry(1, index)])]);
  const [, second = ''] = segmentsOf(directory);
  truncateSync(second, readFileSync(second).length - 30);
  t.match(reopen().log.damage, { ordinal: 3, reason: /^the log ends at/ });
});

t.test('entries fetched again take the place of the damaged ones', async (t) => {
  const { writer, directory, reopen } = open(t);
  writer.write([batchOf([], { hardState: hard(1, 0) })]);
  for (let index = 1; index <= 6; index += 1) writer.write([batchOf([entry(1, index)])]);
  const [path = ''] = segmentsOf(directory);
  const bytes = readFileSync(path);
  const at = bytes.indexOf('1/4');
  bytes[at] = (bytes[at] ?? 0) ^ 4;
  writeFileSync(path, bytes);
  const damaged = reopen();
  t.equal(damaged.log.lastIndex, 3);
  damaged.write([batchOf(numbered(4, 6), { hardState: hard(1, 3) })]);
  for (const journal of [damaged, reopen()]) {
    t.equal(journal.log.damage, undefined);
    t.same(logOf(journal), ['1/1', '1/2', '1/3', '1/4', '1/5', '1/6']);
  }
});

t.test('a damaged head is read from its second copy', async (t) => {
  const { writer, directory, reopen } = open(t, 300);
  for (let index = 1; index <= 20; index += 1) {
    writer.write([batchOf([entry(1, index)], { hardState: hard(1, index - 1, 'b') })]);
  }
  const count = segmentsOf(directory).length;
  for (let at = 0; at < count; at += 1) flip(segment(directory, at), '"ordinal"');
  const again = reopen();
  t.equal(again.log.damage, undefined);
  t.equal(logOf(again).length, 20);
});

t.test('a journal without any head is empty, and still tells of terms and votes', async (t) => {
  const { writer, directory, reopen } = open(t);
  writer.write([batchOf(numbered(1, 5), { hardState: hard(4, 3, 'b'), promiseMs: 6000 })]);
  flipHead(segment(directory, 0));
  const again = reopen();
  t.ok(again.log.damage);
  t.equal(again.isMuted, true);
  t.match(again.log, { lastIndex: 0, promiseMs: 6000 });
  t.match(again.log.hardState, { term: 4, vote: 'b', commit: 0 });
  const snapshot = { index: 3, term: 4, membership: membershipOf({ voters: ['a'] }) };
  again.write([batchOf([], { snapshot })]);
  t.equal(segmentsOf(directory).length, 1, 'what can not be read is gone');
  const repaired = reopen();
  t.match(repaired.log, { damage: undefined, base: { index: 3, term: 4 }, lastIndex: 3 });
  t.match(repaired.log.hardState, { term: 4, vote: 'b' });
});

t.test('a segment in front that has no head is damage, whatever follows it', async (t) => {
  const { writer, directory, reopen } = open(t, 200);
  for (let index = 1; index <= 20; index += 1) {
    writer.write([batchOf([entry(1, index)], { hardState: hard(1, index - 1) })]);
  }
  flipHead(segment(directory, 0));
  const again = reopen();
  t.match(again.log.damage, { ordinal: 1 });
  t.equal(again.isMuted, true);
  t.equal(again.log.lastIndex, again.log.base.index, 'nothing is given out from behind a gap');
});

t.test('of a commit index behind damage nothing is believed', async (t) => {
  const { writer, directory, reopen } = open(t);
  writer.write([batchOf(numbered(1, 5), { hardState: hard(1, 2) })]);
  // Another leader's entries take the place of the last two, and are committed.
  writer.write([batchOf(numbered(4, 6, 2), { hardState: hard(2, 3, 'c') })]);
  writer.write([batchOf([], { hardState: hard(2, 6, 'c') })]);
  flipHead(segment(directory, -1));
  const again = reopen();
  t.same(logOf(again), ['1/1', '1/2', '1/3', '1/4', '1/5'], 'the replaced ones stand there');
  t.match(again.log.hardState, { term: 2, vote: 'c', commit: 2 });
});

t.test('a journal that tells of no term is refused, with what to do', async (t) => {
  const { writer, directory, reopen } = open(t);
  writer.write([batchOf([], { hardState: hard(3, 0, 'a') })]);
  const path = segment(directory, 0);
  const bytes = readFileSync(path);
  // Everything but the last trailer.
  writeFileSync(path, bytes.fill(0, 0, bytes.length - 12));
  t.throws(() => reopen(), { code: 'DATA_DAMAGED', message: /add the node anew/ });
});

t.test('that something is lacking outlives the damage, until everything is there', async (t) => {
  const { writer, directory, reopen } = open(t);
  writer.write([batchOf(numbered(1, 6), { hardState: hard(1, 5) })]);
  t.equal(writer.isMuted, false);
  flip(segment(directory, 0), '1/4');
  const damaged = reopen();
  t.equal(damaged.isMuted, true);
  damaged.write([batchOf([], { hardState: hard(2, 0, 'b') })]);
  const again = reopen();
  t.equal(again.log.damage, undefined, 'the damage is overwritten');
  t.equal(again.isMuted, true, 'and not forgotten');
  again.setMuted(false);
  t.equal(reopen().isMuted, false);
});

t.test('an entry that is damaged while the journal is open is not given out', async (t) => {
  const { writer, directory } = open(t);
  writer.write([batchOf(numbered(1, 6), { hardState: hard(1, 5) })]);
  flip(segment(directory, 0), '1/4');
  t.equal(writer.read(3, 4, 1).length, 1);
  t.throws(() => writer.read(4, 5, 1), {
    code: 'DATA_DAMAGED',
    message: /^entry 4 at byte .*start this node again/,
  });
});

t.test('of replaced entries that are damaged the rest is read, and the file kept', async (t) => {
  const { writer, directory } = open(t);
  writer.write([batchOf(numbered(1, 6), { hardState: hard(1, 2) })]);
  writer.write([batchOf(numbered(4, 4, 2), { hardState: hard(2, 2) })]);
  const [name = ''] = writer.tails.names;
  const path = join(directory, 'tails', name);
  t.match(writer.tails.read(name), { records: { length: 3 }, isDamaged: false });
  flip(path, '1/5');
  t.match(writer.tails.read(name), { records: { length: 1 }, isDamaged: true });
  writer.tails.remove(name);
  t.same(writer.tails.names, []);
  t.ok(existsSync(`${path}.damaged`));
});
