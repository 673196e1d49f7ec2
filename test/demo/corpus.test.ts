/** The corpus: real, the same again from the same seed, and of the sizes of real mail. */

import { existsSync } from 'node:fs';
import t from 'tap';
import { MailCorpus, stampMessage, toWireLines } from '../../src/cli/demo/corpus.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const TEST_MAILS = '/usr/lib/python3.11/test/test_email/data';

t.test('a seed and a number name one message, whatever was asked before', async (t) => {
  const [one, again, other] = await Promise.all([1, 1, 2].map((seed) => MailCorpus.open(seed)));
  if (one === undefined || again === undefined || other === undefined) throw new Error('unopened');
  const numbers = [...Array(64).keys()];
  const forwards = new Map<number, Buffer>();
  for (const number of numbers) forwards.set(number, await one.message(number));
  for (const number of numbers.toReversed()) {
    const repeated = await again.message(number);
    if (!forwards.get(number)?.equals(repeated)) t.fail(`message ${number} differs`);
  }
  const differing = [];
  for (const number of numbers) {
    if (!forwards.get(number)?.equals(await other.message(number))) differing.push(number);
  }
  t.ok(differing.length >= 48, 'another seed gives other messages');
});

t.test('sizes are like those of a mailbox and lines like those of SMTP', async (t) => {
  const corpus = await MailCorpus.open(3);
  const sizes: number[] = [];
  let isWire = true;
  for (let number = 0; number < 384; number += 1) {
    const message = await corpus.message(number);
    sizes.push(message.length);
    isWire &&= message.equals(toWireLines(message)) && message.toString('latin1').endsWith('\r\n');
  }
  sizes.sort((a, b) => a - b);
  const median = sizes[sizes.length / 2] ?? 0;
  const large = sizes.filter((size) => size >= MIB);
  t.ok(isWire, 'CRLF and nothing else ends a line');
  t.ok(median >= 15 * KIB && median <= 40 * KIB, `the middle is ${median} bytes`);
  t.ok(large.length >= 2 && large.length <= 12, `${large.length} are over 1 MiB`);
  t.ok((sizes.at(-1) ?? 0) <= 8 * MIB, `the largest is ${sizes.at(-1)} bytes`);
  const ordinary = sizes.filter((size) => size >= KIB && size <= 200 * KIB * 1.5);
  t.ok(ordinary.length >= sizes.length * 0.8, `${ordinary.length} of ordinary size`);
});

const skip = existsSync(TEST_MAILS) ? false : 'libpython3.11-testsuite is not installed';

t.test('the e-mails of the test suite are among them, malformed ones too', { skip }, async (t) => {
  const corpus = await MailCorpus.open(1);
  t.ok(corpus.testMailCount >= 60);
  const seen = new Set<string>();
  for (let number = 7; number < 8 * corpus.testMailCount; number += 8) {
    seen.add((await corpus.message(number)).toString('latin1'));
  }
  t.equal(seen.size, corpus.testMailCount, 'each has its turn');
  const texts = [...seen];
  t.ok(
    texts.some((text) => !text.includes('\r\n\r\n')),
    'one without a body',
  );
  t.ok(
    texts.some((text) => text.includes('multipart/') && !/--[^\r\n]+--\r\n/.test(text)),
    'one whose last part never ends',
  );
});

t.test('a stamp makes equal messages different and is one line', async (t) => {
  const message = Buffer.from('Subject: x\r\n\r\ny\r\n');
  t.equal(`${stampMessage('run-1-0', message)}`, `X-Mailraft-Id: run-1-0\r\n${message}`);
});

t.test('any line end becomes CRLF, and the last line is ended', async (t) => {
  const cases = { 'a\nb': 'a\r\nb\r\n', 'a\r\rb\r\n': 'a\r\n\r\nb\r\n', '': '\r\n' };
  for (const [given, expected] of Object.entries(cases)) {
    t.equal(toWireLines(Buffer.from(given)).toString(), expected);
  }
  const binary = Buffer.from([0, 0xff, 0x80, 0x0d, 0x0a]);
  t.ok(toWireLines(binary).equals(binary), 'other bytes stay');
});
