/** Quantities are read exactly as they were written, or not at all. */

import fc from 'fast-check';
import t from 'tap';
import { formatDuration, formatSize, parseDuration, parseSize } from '../../src/config/units.ts';

const UNITS_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
const UNITS_BYTES = { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 } as const;

t.test('a number with a unit is so many of it', async (t) => {
  const cases = [
    { units: UNITS_MS, parse: parseDuration },
    { units: UNITS_BYTES, parse: parseSize },
  ] as const;
  for (const { units, parse } of cases) {
    for (const [unit, value] of Object.entries(units)) {
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 8000 }), (count) => {
          return parse(`${count}${unit}`) === count * value;
        }),
      );
    }
  }
  t.pass('whatever was drawn');
});

t.test('what is written for a quantity is read as that quantity', async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_000_000_000 }), (value) => {
      return parseDuration(formatDuration(value)) === value;
    }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000_000_000 }), (count) => {
      return parseSize(formatSize(count * 1024)) === count * 1024;
    }),
  );
  t.pass('whatever was drawn');
});

t.test('other text is no quantity', async (t) => {
  const isQuantity = /^(0|[1-9][0-9]*)(ms|s|m|h|KiB|MiB|GiB|TiB)$/;
  const nearly = fc.stringMatching(/^[-+ 0-9.e]{0,6}(ms|s|m|h|KiB|MB|GiB|k|)[ s]?$/);
  fc.assert(
    fc.property(fc.oneof(fc.string(), nearly), (text) => {
      fc.pre(!isQuantity.test(text));
      return parseDuration(text) === undefined && parseSize(text) === undefined;
    }),
  );
  t.pass('whatever was drawn');
});

t.test('a quantity too large to count exactly is none', async (t) => {
  t.equal(parseDuration('999999999999h'), undefined);
  t.equal(parseSize('999999999999TiB'), undefined);
  t.equal(parseSize('8191TiB'), 8191 * 1024 ** 4);
});

t.test('the shortest way to write is chosen', async (t) => {
  t.equal(formatDuration(0), '0ms');
  t.equal(formatDuration(1500), '1500ms');
  t.equal(formatDuration(90_000), '90s');
  t.equal(formatDuration(3_600_000), '1h');
  t.equal(formatDuration(33.4), '33ms');
  t.equal(formatSize(1000), '1000 bytes');
  t.equal(formatSize(10 * 1024 ** 3), '10GiB');
});
