/**
 * Mail out: every file of the store comes back byte for byte, with the line ends and the
 * dots that POP3 wants, whatever the file looks like.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { TopLines, WireLines } from '../../examples/mail/wire-lines.ts';
import { until } from '../support/until.ts';
import { LineClient } from './line-client.ts';
import { MailProcess } from './mail-process.ts';

const MESSAGES = {
  '1.a.eml': 'Subject: one\r\nX: y\r\n\r\nbody\r\n.dot\r\n..two\r\n',
  '2.b.eml': 'Subject: two\nbare line feeds\n\n.\nlast without end',
  '3.c.eml': 'no header, no end',
};
const ON_THE_WIRE = {
  one: MESSAGES['1.a.eml'],
  two: 'Subject: two\r\nbare line feeds\r\n\r\n.\r\nlast without end\r\n',
  three: 'no header, no end\r\n',
};

async function start(t: Test): Promise<MailProcess> {
  return MailProcess.start(t, { store: t.testdir({ new: MESSAGES }) });
}

t.test('a session lists, measures and names the messages', async (t) => {
  const mail = await start(t);
  const client = await LineClient.pop3(t, mail.pop3Port);
  const octets = Object.values(ON_THE_WIRE).map((text) => text.length);
  const sum = octets.reduce((a, b) => a + b);
  t.equal(await client.ask('STAT'), `+OK 3 ${sum}`);
  const list = await client.multiline('LIST');
  t.equal(`${list.body}`, octets.map((count, index) => `${index + 1} ${count}\r\n`).join(''));
  t.equal(await client.ask('LIST 2'), `+OK 2 ${octets[1]}`);
  t.equal(`${(await client.multiline('UIDL')).body}`, '1 1.a\r\n2 2.b\r\n3 3.c\r\n');
  t.equal(await client.ask('UIDL 3'), '+OK 3 3.c');
  t.match(`${(await client.multiline('CAPA')).body}`, /^UIDL$/m);
  t.equal(await client.ask('NOOP'), '+OK');
  for (const wrong of ['LIST 4', 'UIDL 0', 'RETR x', 'DELE 9', 'TOP 1', 'TOP 1 x', 'XYZ', '']) {
    t.match(await client.ask(wrong), /^-ERR/, `${wrong} is refused`);
  }
});

t.test('RETR gives each message with CRLF line ends and a last line that ends', async (t) => {
  const mail = await start(t);
  const client = await LineClient.pop3(t, mail.pop3Port);
  for (const [index, text] of Object.values(ON_THE_WIRE).entries()) {
    const { status, body } = await client.multiline(`RETR ${index + 1}`);
    t.equal(status, `+OK ${text.length} octets`);
    t.equal(body.toString(), text);
  }
});

t.test('TOP gives the header and as many lines as asked', async (t) => {
  const mail = await start(t);
  const client = await LineClient.pop3(t, mail.pop3Port);
  const top = async (command: string): Promise<string> =>
    `${(await client.multiline(command)).body}`;
  t.equal(await top('TOP 1 0'), 'Subject: one\r\nX: y\r\n\r\n');
  t.equal(await top('TOP 1 2'), 'Subject: one\r\nX: y\r\n\r\nbody\r\n.dot\r\n');
  t.equal(await top('TOP 2 1'), 'Subject: two\r\nbare line feeds\r\n\r\n.\r\n');
  t.equal(await top('TOP 3 5'), ON_THE_WIRE.three);
  t.equal(await top('TOP 1 99'), ON_THE_WIRE.one);
});

t.test('what is deleted goes at QUIT and not before', async (t) => {
  const mail = await start(t);
  const client = await LineClient.pop3(t, mail.pop3Port);
  await client.ask('DELE 1');
  t.match(await client.ask('RETR 1'), /^-ERR/);
  t.match(await client.ask('STAT'), /^\+OK 2 /);
  await client.ask('RSET');
  t.match(await client.ask('STAT'), /^\+OK 3 /);
  await client.ask('DELE 2');
  t.equal(mail.newFiles().length, 3);
  t.equal(await client.ask('QUIT'), '+OK bye');
  t.same(mail.newFiles(), ['1.a.eml', '3.c.eml']);
  await until(() => client.isClosed, 'the server to close');
});

t.test('a session that breaks off deletes nothing', async (t) => {
  const mail = await start(t);
  const client = await LineClient.pop3(t, mail.pop3Port);
  await client.ask('DELE 1');
  client.socket.resetAndDestroy();
  const next = await LineClient.pop3(t, mail.pop3Port);
  t.match(await next.ask('STAT'), /^\+OK 3 /);
});

t.test('a message that another session removed is answered as missing', async (t) => {
  const mail = await start(t);
  const [reader, remover] = [
    await LineClient.pop3(t, mail.pop3Port),
    await LineClient.pop3(t, mail.pop3Port),
  ];
  await remover.ask('DELE 1');
  await remover.ask('QUIT');
  t.match(await reader.ask('RETR 1'), /^-ERR no such message/);
  t.match((await reader.multiline('RETR 2')).status, /^\+OK/);
});

t.test('only finished messages are seen, and names that no UIDL can carry get one', async (t) => {
  const mail = await start(t);
  writeFileSync(join(mail.store, 'tmp', 'half'), 'half');
  writeFileSync(join(mail.store, 'new', 'other.txt'), 'not a message');
  writeFileSync(join(mail.store, 'new', `${'long '.repeat(20)}.eml`), 'x\r\n');
  const client = await LineClient.pop3(t, mail.pop3Port);
  t.match(await client.ask('STAT'), /^\+OK 4 /);
  t.match(await client.ask('UIDL 4'), /^\+OK 4 [0-9a-f]{64}$/);
});

t.test('nothing but a log-in is answered before one', async (t) => {
  const mail = await start(t);
  const client = LineClient.connect(t, mail.pop3Port);
  t.match(await client.line(), /^\+OK/);
  for (const early of ['STAT', 'RETR 1', 'PASS x', 'USER']) {
    t.match(await client.ask(early), /^-ERR/, early);
  }
  t.match(await client.ask('QUIT'), /^\+OK/);
});

t.test('commands may come all at once, with the client closing its side', async (t) => {
  const mail = await start(t);
  const client = LineClient.connect(t, mail.pop3Port);
  client.socket.end('USER a\r\nPASS b\r\nRETR 3\r\nQUIT\r\n');
  await until(() => client.isClosed, 'the answers');
  t.match(client.waiting, /no header, no end\r\n\.\r\n\+OK bye\r\n$/);
});

t.test('a line without end ends the session', async (t) => {
  const mail = await start(t);
  const endless = LineClient.connect(t, mail.pop3Port);
  await endless.line();
  endless.send('x'.repeat(10_000));
  t.match(await endless.line(), /^-ERR command line too long/);
  await until(() => endless.isClosed, 'the server to close');
});

t.test('a crowd is turned away until one of them leaves', async (t) => {
  const mail = await start(t);
  const crowd = Array.from({ length: 101 }, () => LineClient.connect(t, mail.pop3Port));
  const greetings = await Promise.all(crowd.map((client) => client.line()));
  t.equal(greetings.filter((line) => line.startsWith('+OK')).length, 100);
  t.equal(greetings.filter((line) => line.startsWith('-ERR')).length, 1);
  crowd[greetings.findIndex((line) => line.startsWith('+OK'))]?.socket.destroy();
  await until(async () => {
    const late = LineClient.connect(t, mail.pop3Port);
    return (await late.line()).startsWith('+OK');
  }, 'a place to be free again');
});

/** Texts full of what matters: line ends, dots, empty lines. */
const texts = fc
  .array(fc.constantFrom('\r\n', '\n', '\r', '.', '..', 'a', 'bc'), { maxLength: 24 })
  .map((parts) => parts.join(''));

function inChunks(text: string, bytes: number): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < text.length; at += bytes) {
    chunks.push(Buffer.from(text.slice(at, at + bytes)));
  }
  return chunks;
}

t.test('the form on the wire is the same however the file is cut', async (t) => {
  fc.assert(
    fc.property(texts, fc.integer({ min: 1, max: 7 }), (text, bytes) => {
      const lines = new WireLines();
      const sent = [...inChunks(text, bytes).map((chunk) => lines.push(chunk)), lines.finish()];
      const split = text.split(/\r?\n/);
      const last = split.pop() ?? '';
      // A CR at the very end is the first half of the line end that is missing.
      if (last !== '') split.push(last.replace(/\r$/, ''));
      const plain = split.map((line) => `${line}\r\n`).join('');
      const wire = split.map((line) => `${line.startsWith('.') ? '.' : ''}${line}\r\n`).join('');
      return `${Buffer.concat(sent)}` === wire && lines.octets === plain.length;
    }),
    { numRuns: 2_000 },
  );
  t.pass('2,000 texts');
});

t.test('the top of a message is the same however the file is cut', async (t) => {
  fc.assert(
    fc.property(texts, fc.integer({ min: 1, max: 7 }), fc.nat(3), (text, bytes, count) => {
      const cut = new TopLines(count);
      const taken = inChunks(text, bytes).map((chunk) =>
        cut.isComplete ? Buffer.alloc(0) : cut.take(chunk),
      );
      const lines = text.split(/(?<=\n)/);
      const empty = lines.findIndex((line) => line === '\n' || line === '\r\n');
      const expected = empty === -1 ? lines : lines.slice(0, empty + 1 + count);
      return `${Buffer.concat(taken)}` === expected.join('');
    }),
    { numRuns: 2_000 },
  );
  t.pass('2,000 texts');
});
