/**
 * Mail in: what is answered 250 is on the disk under the name that the answer gives, and
 * what is not answered 250 leaves nothing behind. Against the real server process.
 */

import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { until } from '../support/until.ts';
import { LineClient } from './line-client.ts';
import { MailProcess } from './mail-process.ts';

const MIB = 1024 * 1024;
const FAULTS = 'test/examples/storage-faults.js';

async function start(t: Test, env: Record<string, string> = {}): Promise<MailProcess> {
  const preload = Object.keys(env).length === 0 ? {} : { preload: FAULTS };
  return MailProcess.start(t, { store: t.testdir(), env, ...preload });
}

/** The file that an answer like `250 2.0.0 stored as NAME` names. */
function stored(mail: MailProcess, reply: string): Buffer {
  const name = /^250 2\.0\.0 stored as (\S+\.eml)$/.exec(reply)?.[1];
  if (name === undefined) throw new Error(`no file name in ${JSON.stringify(reply)}`);
  return readFileSync(join(mail.store, 'new', name));
}

function message(text: string): Buffer {
  return Buffer.from(`Subject: test\r\n\r\n${text}\r\n`, 'latin1');
}

t.test('the server offers 8BITMIME and its size limit, neither TLS nor log-in', async (t) => {
  const mail = await start(t);
  const client = LineClient.connect(t, mail.smtpPort);
  t.match(await client.reply(), /^220 test ESMTP/);
  const offered = await client.ask('EHLO client');
  t.match(offered, /8BITMIME/);
  t.match(offered, new RegExp(`SIZE ${32 * MIB}$`, 'm'));
  t.notMatch(offered, /STARTTLS|AUTH/);
  t.match(await client.ask('STARTTLS'), /^5/);
  t.match(await client.ask('AUTH PLAIN AGEAYg=='), /^5/);
});

t.test('a message becomes one file with exactly its bytes', async (t) => {
  const mail = await start(t);
  const client = await LineClient.smtp(t, mail.smtpPort);
  const messages = {
    plain: message('hello'),
    dots: message('.\r\n..\r\n.a\r\n...\r\nb.'),
    'eight bits and NUL': message('caf\xe9 \xff\x00\x01 end'),
    'a line of 200,000 characters': message('x'.repeat(200_000)),
    'a bare LF and a bare CR': message('a\nb\rc'),
    'no header at all': Buffer.from('\r\n'),
    'random bytes': message(
      randomBytes(300_000)
        .toString('latin1')
        .replaceAll(/[\r\n.]/g, '-'),
    ),
  };
  for (const [name, bytes] of Object.entries(messages)) {
    t.ok(stored(mail, await client.deliver(bytes)).equals(bytes), name);
  }
  t.equal(mail.newFiles().length, Object.keys(messages).length);
  t.same(mail.unfinishedFiles(), []);
});

t.test('two servers on one store never choose the same name', async (t) => {
  const store = t.testdir();
  const servers = await Promise.all([
    MailProcess.start(t, { store, name: 'same' }),
    MailProcess.start(t, { store, name: 'same' }),
  ]);
  await Promise.all(
    servers.flatMap((mail) =>
      [1, 2, 3].map(async (session) => {
        const client = await LineClient.smtp(t, mail.smtpPort);
        for (let n = 0; n < 10; n += 1) await client.deliver(message(`${session} ${n}`));
      }),
    ),
  );
  t.equal(servers[0]?.newFiles().length, 60);
});

for (const on of ['file', 'directory']) {
  t.test(`the answer waits for the fsync of the ${on}`, async (t) => {
    const mail = await start(t, { MAIL_FAULT: 'hold', MAIL_FAULT_ON: on });
    const client = await LineClient.smtp(t, mail.smtpPort);
    const bytes = message('hold on');
    await client.begin();
    client.send(bytes);
    client.send('.\r\n');
    await until(() => mail.stderr.includes('held'), 'the server to reach its fsync');
    // The whole message is in and a second client is served: an early answer would be here.
    const other = await LineClient.smtp(t, mail.smtpPort);
    t.match(await other.ask('NOOP'), /^250/);
    t.equal(client.waiting, '');
    t.equal(mail.newFiles().length, on === 'file' ? 0 : 1);
    mail.child.kill('SIGUSR2');
    t.ok(stored(mail, await client.reply()).equals(bytes));
  });

  t.test(`a failed fsync of the ${on} is answered 451 and leaves nothing`, async (t) => {
    const mail = await start(t, { MAIL_FAULT: 'fail', MAIL_FAULT_ON: on });
    const client = await LineClient.smtp(t, mail.smtpPort);
    t.match(await client.deliver(message('lost')), /^451 4\.3\.0 .*EIO/);
    t.same([mail.newFiles(), mail.unfinishedFiles()], [[], []]);
    t.match(await client.ask('NOOP'), /^250/, 'the session goes on');
  });
}

/** A disk of its own for one process needs a mount namespace, which some machines forbid. */
const mountProbe = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']);
const skip = mountProbe.status === 0 ? false : `no mount namespace: ${mountProbe.stderr}`;

t.test('a full disk is answered 452, leaves nothing, smaller mail goes', { skip }, async (t) => {
  const store = t.testdir();
  const mount = `mount -t tmpfs -o size=256k tmpfs ${store} && exec "$@"`;
  const wrapper = ['unshare', '-rm', 'sh', '-c', mount, 'sh'];
  const mail = await MailProcess.start(t, { store, wrapper });
  const inside = `/proc/${mail.child.pid}/root${store}`;
  const listed = (): string[] => [...mail.newFiles(), ...mail.unfinishedFiles()];
  Object.defineProperty(mail, 'store', { value: inside });
  const client = await LineClient.smtp(t, mail.smtpPort);
  t.match(await client.deliver(message('y'.repeat(MIB))), /^452 4\.3\.1 .*ENOSPC/);
  t.same(listed(), []);
  const small = message('z'.repeat(100_000));
  t.ok(stored(mail, await client.deliver(small)).equals(small));
  t.match(await client.deliver(message('y'.repeat(200_000))), /^452/);
  t.equal(listed().length, 1);
});

t.test('a store whose folders are gone is answered 451 until they are back', async (t) => {
  const mail = await start(t);
  const client = await LineClient.smtp(t, mail.smtpPort);
  rmSync(join(mail.store, 'new'), { recursive: true });
  t.match(await client.deliver(message('no new')), /^451/);
  t.same(mail.unfinishedFiles(), []);
  rmSync(join(mail.store, 'tmp'), { recursive: true });
  t.match(await client.deliver(message('no tmp')), /^451/);
  await mkdir(join(mail.store, 'new'));
  await mkdir(join(mail.store, 'tmp'));
  t.match(await client.deliver(message('back')), /^250/);
  t.equal(mail.newFiles().length, 1);
});

t.test('a message over the limit is refused, announced or not', async (t) => {
  const mail = await start(t);
  const client = await LineClient.smtp(t, mail.smtpPort);
  t.match(await client.ask(`MAIL FROM:<a@example.com> SIZE=${33 * MIB}`), /^552/);
  const large = Buffer.alloc(35_000_000, `${'m'.repeat(998)}\r\n`);
  t.match(await client.deliver(large), /^552/);
  t.same([mail.newFiles(), mail.unfinishedFiles()], [[], []]);
  t.match(await client.deliver(large.subarray(0, 31_000_000)), /^250/);
});

t.test('a client that leaves within a message leaves no file', async (t) => {
  const mail = await start(t);
  const client = await LineClient.smtp(t, mail.smtpPort);
  await client.begin();
  client.send(message('half'.repeat(50_000)));
  await until(() => mail.unfinishedFiles().length === 1, 'the message to arrive in part');
  client.socket.resetAndDestroy();
  await until(() => mail.unfinishedFiles().length === 0, 'the part to be removed');
  t.same(mail.newFiles(), []);
});

t.test('a start removes what was unfinished and keeps what was stored', async (t) => {
  const store = t.testdir({ tmp: {}, new: {} });
  writeFileSync(join(store, 'tmp', '1.2_3.host'), 'half a mess');
  writeFileSync(join(store, 'new', '1.1_1.host.eml'), 'Subject: old\r\n\r\nkept\r\n');
  const mail = await MailProcess.start(t, { store });
  t.same(mail.unfinishedFiles(), []);
  t.same(mail.newFiles(), ['1.1_1.host.eml']);
});

t.test('SIGTERM says 421 to open sessions and ends the process at once', async (t) => {
  const tookMs: number[] = [];
  for (let run = 0; run < 3; run += 1) {
    const mail = await start(t);
    const client = await LineClient.smtp(t, mail.smtpPort);
    const pop3 = await LineClient.pop3(t, mail.pop3Port);
    const beganMs = performance.now();
    t.equal(await mail.end('SIGTERM'), 0);
    tookMs.push(performance.now() - beganMs);
    t.match(await client.reply(), /^421/);
    t.match(await pop3.line(), /^-ERR \[SYS\/TEMP\]/);
  }
  // The best of three: what counts is what the server does, not who else uses the machine.
  t.ok(Math.min(...tookMs) < 150, `took ${tookMs.map(Math.round).join(', ')} ms`);
});

t.test('SIGTERM does not wait for a disk that hangs, and promises nothing for it', async (t) => {
  const mail = await start(t, { MAIL_FAULT: 'hold', MAIL_FAULT_ON: 'file' });
  const client = await LineClient.smtp(t, mail.smtpPort);
  await client.begin();
  client.send(message('never stored'));
  client.send('.\r\n');
  await until(() => mail.stderr.includes('held'), 'the server to reach its fsync');
  t.equal(await mail.end('SIGTERM'), 0);
  await until(() => client.isClosed || client.waiting !== '', 'the session to end');
  t.notMatch(client.waiting, /^250/);
  t.same(mail.newFiles(), []);
});

t.test('a server that cannot start says why and exits 1', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  t.teardown(() => taken.close());
  await until(() => taken.listening, 'a taken port');
  const { port } = taken.address() as { port: number };
  const cases = [
    { options: { store: t.testdir(), smtpPort: port }, says: /EADDRINUSE/ },
    { options: { store: t.testdir(), smtpPort: 70_000 }, says: /--smtp wants HOST:PORT/ },
    { options: { store: join(t.testdir({ file: '' }), 'file') }, says: /EEXIST|ENOTDIR/ },
  ];
  for (const { options, says } of cases) {
    const mail = MailProcess.launch(t, options);
    await until(() => mail.child.exitCode !== null, 'the server to give up');
    t.equal(mail.child.exitCode, 1);
    t.match(mail.stderr, says);
    t.match(mail.stderr, /usage:/);
  }
});
