/**
 * The load client's account is exact: what it calls answered is in the store, what is in
 * the store it knows, however often the server dies under it.
 */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { findOutage } from '../../src/cli/demo/smtp-ledger.ts';
import { SmtpLoad, type SmtpLoadOptions } from '../../src/cli/demo/smtp-load.ts';
import { monotonicMs, stuffDots } from '../../src/cli/demo/smtp-session.ts';
import { MailProcess } from '../examples/mail-process.ts';
import { until } from '../support/until.ts';

/** Messages of 2 to 60 KiB, each with a line that begins with dots. */
async function message(index: number): Promise<Buffer> {
  const line = `..line of message ${index}\r\n`;
  return Buffer.from(`Subject: ${index}\r\n\r\n${line.repeat(80 + (index % 30) * 80)}`);
}

function loadOf(t: Test, options: Partial<SmtpLoadOptions> & { port: number }): SmtpLoad {
  const load = new SmtpLoad({
    ...{ host: '127.0.0.1', sessions: 4, message, idPrefix: 'load' },
    ...options,
  });
  t.teardown(() => load.stop());
  return load;
}

function digestsIn(store: string): string[] {
  return readdirSync(join(store, 'new')).map((name) =>
    createHash('sha256')
      .update(readFileSync(join(store, 'new', name)))
      .digest('hex'),
  );
}

t.test('the ledger is exact although the server is killed again and again', async (t) => {
  const store = t.testdir();
  let mail = await MailProcess.start(t, { store });
  const { smtpPort } = mail;
  const load = loadOf(t, { port: smtpPort, total: 300 });
  load.start();
  const killsAtMs: number[] = [];
  for (const count of [40, 90, 140, 190, 240]) {
    await until(() => load.answeredCount >= count, `${count} answers`);
    killsAtMs.push(monotonicMs());
    await mail.end('SIGKILL');
    mail = await MailProcess.start(t, { store, smtpPort });
  }
  await load.done;
  const ledger = await load.stop();

  t.equal(ledger.answered.length, 300);
  t.equal(ledger.forgottenCount, 0);
  const ids = [...ledger.answered, ...ledger.unknown].map(({ id }) => id);
  t.equal(new Set(ids).size, ids.length, 'no id is noted twice');
  const stored = digestsIn(store);
  t.equal(new Set(stored).size, stored.length, 'no message is stored twice');
  const answered = new Set(ledger.answered.map(({ digest }) => digest));
  const unknown = new Set(ledger.unknown.map(({ digest }) => digest));
  t.same(
    [...answered].filter((digest) => !stored.includes(digest)),
    [],
    'answered is stored',
  );
  t.same(
    stored.filter((digest) => !answered.has(digest) && !unknown.has(digest)),
    [],
    'what is stored is answered or unknown',
  );
  for (const [index, killedAtMs] of killsAtMs.entries()) {
    const outage = load.outage(killedAtMs, killsAtMs[index + 1]);
    t.ok(
      outage !== undefined && outage.firstSuccessAtMs > killedAtMs && outage.gapMs > 20,
      `kill ${index + 1}: an outage of ${outage?.gapMs.toFixed(0)} ms`,
    );
  }
});

/** A server that speaks as told: for every final dot the next of `answers`, `''` hangs up. */
async function scripted(t: Test, answers: string[]): Promise<{ port: number; seen: string[] }> {
  const seen: string[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    let received = '';
    let isData = false;
    const take = (line: string): void => {
      if (line.startsWith('X-Mailraft-Id: ')) seen.push(line.slice('X-Mailraft-Id: '.length));
      if (isData && line !== '.') return;
      const answer = isData ? answers.shift() : line === 'DATA' ? '354 go' : '250 ok';
      isData = line === 'DATA';
      if (answer === '' || answer === undefined) socket.destroy();
      else socket.write(`${answer}\r\n`);
    };
    socket.write('220 scripted\r\n');
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      const lines = `${received}${chunk}`.split('\r\n');
      received = lines.pop() ?? '';
      lines.forEach(take);
    });
  });
  server.listen(0, '127.0.0.1');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await until(() => server.listening, 'the scripted server');
  return { port: (server.address() as { port: number }).port, seen };
}

t.test('a message without a 250 is unknown and goes again under another id', async (t) => {
  const { port, seen } = await scripted(t, ['', '451 later', '250 ok', '250-two\r\n250 lines']);
  const load = loadOf(t, { port, sessions: 1, total: 2 });
  load.start();
  await load.done;
  const { answered, unknown } = await load.stop();
  t.same(seen, ['load-0-0', 'load-0-1', 'load-0-2', 'load-1-0']);
  t.same(
    answered.map(({ id }) => id),
    ['load-0-2', 'load-1-0'],
  );
  t.same(
    unknown.map(({ id }) => id),
    ['load-0-0', 'load-0-1'],
  );
});

t.test('a message that is refused for good does not go again', async (t) => {
  const { port } = await scripted(t, ['552 too big', '250 ok', '250 ok']);
  const load = loadOf(t, { port, sessions: 1, total: 2 });
  load.start();
  await load.done;
  const { answered, unknown, refusedCount } = await load.stop();
  t.equal(refusedCount, 1);
  t.same(
    [...unknown, ...answered].map(({ id }) => id),
    ['load-0-0', 'load-1-0', 'load-2-0'],
  );
});

t.test('a server that says nothing is left after a bounded time', async (t) => {
  const mute = createServer();
  const sockets: Socket[] = [];
  mute.on('connection', (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
  });
  mute.listen(0, '127.0.0.1');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    mute.close();
  });
  await until(() => mute.listening, 'the mute server');
  const { port } = mute.address() as { port: number };
  const load = loadOf(t, { port, sessions: 1, replyMsMax: 50 });
  load.start();
  await until(() => sockets.length >= 3, 'three attempts');
  const { answered, unknown } = await load.stop();
  t.same([answered, unknown], [[], []], 'nothing was sent, so nothing is unknown');
});

t.test('the rate is kept by all sessions together', async (t) => {
  const mail = await MailProcess.start(t, { store: t.testdir() });
  const heard: string[] = [];
  const load = loadOf(t, {
    port: mail.smtpPort,
    sessions: 8,
    total: 20,
    ratePerSecond: 40,
    onAnswered: ({ id }) => heard.push(id),
  });
  const beganMs = monotonicMs();
  load.start();
  await load.done;
  const tookMs = monotonicMs() - beganMs;
  // Twenty beginnings, 25 ms apart, leave nineteen waits.
  t.ok(tookMs >= 19 * 25 - 1, `20 messages at 40 a second took ${tookMs.toFixed(0)} ms`);
  const { answered } = await load.stop();
  t.same(
    heard,
    answered.map(({ id }) => id),
  );
});

t.test('a continuous load goes on until it is stopped', async (t) => {
  const mail = await MailProcess.start(t, { store: t.testdir() });
  const load = loadOf(t, { port: mail.smtpPort });
  load.start();
  await until(() => load.answeredCount >= 50, 'fifty answers');
  const { answered, unknown } = await load.stop();
  t.ok(answered.length >= 50);
  t.same(unknown, [], 'what was on its way could finish');
  t.equal(digestsIn(mail.store).length, answered.length);
});

t.test(
  'a failure of the source of messages is told, not counted as one of the server',
  async (t) => {
    const mail = await MailProcess.start(t, { store: t.testdir() });
    const failing = async (): Promise<Buffer> => {
      throw new TypeError('no such message');
    };
    const load = new SmtpLoad({
      ...{ host: '127.0.0.1', port: mail.smtpPort, sessions: 1, idPrefix: 'x', message: failing },
    });
    load.start();
    await t.rejects(load.done, { message: 'no such message' });
  },
);

t.test('an outage is the longest silence that ends after its event', async (t) => {
  const successes = [100, 110, 120, 130, 400, 410, 500, 1_500];
  t.match(findOutage(successes, 125), { lastSuccessAtMs: 500, gapMs: 1_000 });
  t.match(findOutage(successes, 125, 450), { lastSuccessAtMs: 130, gapMs: 270 });
  t.match(findOutage(successes, 115, 405), { lastSuccessAtMs: 130, firstSuccessAtMs: 400 });
  t.match(findOutage(successes, 405, 450), { lastSuccessAtMs: 410, gapMs: 90 });
  const beforeTheNext = findOutage([100, 130, 200, 210, 500], 120, 215);
  t.match(beforeTheNext, { lastSuccessAtMs: 130, gapMs: 70 }, "the next one's is not counted");
  t.equal(findOutage(successes, 1_500), undefined);
  t.equal(findOutage([], 0), undefined);
});

t.test('dots at the beginning of lines are doubled', async (t) => {
  const cases = { '.\r\n..\r\na.\r\n': '..\r\n...\r\na.\r\n', 'a\n.b': 'a\n.b', '': '' };
  for (const [given, expected] of Object.entries(cases)) {
    t.equal(`${stuffDots(Buffer.from(given))}`, expected);
  }
});
