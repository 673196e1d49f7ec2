/** Numbers and tables as people read them. */

import { styleText } from 'node:util';
import t from 'tap';
import { oneLine } from '../../src/cli/output.ts';
import { bytesText, countOf, durationText } from '../../src/cli/quantities.ts';
import { tableLines } from '../../src/cli/table.ts';

t.test('sizes go up by units and never show 1024 of one', async (t) => {
  const sizes = [0, 1023, 1024, 1536, 1024 ** 2 - 1, 1024 ** 2, 10 * 1024 ** 3, 2 ** 60];
  t.same(sizes.map(bytesText), [
    ...['0 B', '1023 B', '1.0 KiB', '1.5 KiB', '1.0 MiB', '1.0 MiB', '10.0 GiB', '1024.0 PiB'],
  ]);
});

t.test('durations have two units at most', async (t) => {
  const durations = [0, 79.6, 994, 996, 4210, 59_949, 59_951, 192_000, 7_500_000, 273_600_000];
  t.same(durations.map(durationText), [
    ...['0 ms', '80 ms', '994 ms', '1.0 s', '4.2 s', '59.9 s', '1 min'],
    ...['3 min 12 s', '2 h 5 min', '3 d 4 h'],
  ]);
});

t.test('one is not many', async (t) => {
  t.equal(countOf(1, 'file'), '1 file');
  t.equal(countOf(1204, 'entry', 'entries'), '1,204 entries');
});

t.test('columns stand under each other, coloured or not', async (t) => {
  const lines = tableLines([
    ['A', styleText('red', 'BB'), 'C'],
    ['long', 'é', ''],
  ]);
  t.same(lines, [`A     ${styleText('red', 'BB')}  C`, 'long  é']);
});

t.test('a text from elsewhere stays on its line', async (t) => {
  t.equal(oneLine(' 220 ready\r\n\x1b[31mroot\x07\u009b2J '), '220 ready [31mroot 2J');
});
