/** Probes against small servers that answer well, badly, late or not at all. */

import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import fc from 'fast-check';
import { SMTPServer } from 'smtp-server';
import t, { type Test } from 'tap';
import type { ProbeConfig } from '../../src/config/config.ts';
import type { Probe, ProbeOutcome } from '../../src/service/probe/connection.ts';
import { Probes } from '../../src/service/probe/probe-runner.ts';
import { probeSmtp } from '../../src/service/probe/smtp-probe.ts';
import { type SmtpReply, SmtpReplyReader } from '../../src/service/probe/smtp-reply.ts';
import { probeTcp } from '../../src/service/probe/tcp-probe.ts';
import { combined, counted, NOTHING_KNOWN } from '../../src/service/probe/verdict.ts';
import { until } from '../support/until.ts';

const HOST = '127.0.0.1';

class TestServer {
  readonly received: string[] = [];
  connections = 0;
  readonly open = new Set<Socket>();
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(t: Test, onClient: (socket: Socket) => void, port = 0): Promise<TestServer> {
    const server = createServer((socket) => {
      test.connections += 1;
      test.open.add(socket);
      socket.on('close', () => test.open.delete(socket));
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => test.received.push(bytes.toString()));
      onClient(socket);
    });
    const test = new TestServer(server);
    server.listen(port, HOST);
    await once(server, 'listening');
    t.teardown(() => test.stop());
    return test;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('does not listen');
    return address.port;
  }

  stop(): void {
    for (const socket of this.open) socket.destroy();
    this.#server.close();
  }
}

function ask(probe: Probe, port: number, timeoutMs = 5000): Promise<ProbeOutcome> {
  return probe({ address: { host: HOST, port }, timeoutMs }, new AbortController().signal);
}

async function closedPort(t: Test): Promise<number> {
  const server = await TestServer.start(t, () => undefined);
  const { port } = server;
  server.stop();
  return port;
}

/** Says the lines one by one, each after something came in; the first at once. */
function saying(...lines: readonly string[]): (socket: Socket) => void {
  return (socket) => {
    const rest = [...lines];
    socket.write(rest.shift() ?? '');
    socket.on('data', () => socket.write(rest.shift() ?? ''));
  };
}

t.test('a port that accepts passes, one that does not fails', async (t) => {
  const server = await TestServer.start(t, () => undefined);
  t.match(await ask(probeTcp, server.port), { isSuccess: true, text: /^connected in \d+ ms$/ });
  await until(() => server.connections === 1 && server.open.size === 0, 'nothing stays open');
  t.match(await ask(probeTcp, await closedPort(t)), {
    isSuccess: false,
    text: 'no connection: ECONNREFUSED',
  });
});

t.test('a real SMTP server passes, and sees a client that takes its leave', async (t) => {
  const closed: string[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onClose: ({ hostNameAppearsAs }) => closed.push(String(hostNameAppearsAs)),
  });
  const listener = server.listen(0, HOST);
  await once(listener, 'listening');
  t.teardown(() => server.close());
  const { port } = listener.address() as { port: number };
  t.match(await ask(probeSmtp, port), { isSuccess: true, text: /^greeted and answered EHLO in/ });
  await until(() => closed.length === 1, 'the session is over');
  t.equal(closed[0], '[127.0.0.1]');
});

t.test('replies of several lines are read to their end', async (t) => {
  const server = await TestServer.start(
    t,
    saying(
      '220-mail.test\r\n220 ready\r\n',
      '250-mail.test\r\n250-SIZE 10\r\n250 HELP\r\n',
      '221 bye\r\n',
    ),
  );
  t.match(await ask(probeSmtp, server.port), { isSuccess: true });
  await until(() => server.received.includes('QUIT\r\n'), 'it takes its leave');
  t.same(server.received, ['EHLO [127.0.0.1]\r\n', 'QUIT\r\n']);
  await until(() => server.open.size === 0, 'nothing stays open');
});

t.test('whoever does not answer as SMTP does fails, and it is said how', async (t) => {
  const cases: readonly [string, (socket: Socket) => void, RegExp][] = [
    ['silent', () => undefined, /^no greeting within 300 ms$/],
    ['silent after the greeting', saying('220 hi\r\n'), /^no answer to EHLO within 300 ms$/],
    ['half a greeting', saying('220-mail.test\r\n'), /^no greeting within 300 ms$/],
    ['closing', (socket) => socket.end(), /^closed before the greeting$/],
    ['resetting', (socket) => socket.resetAndDestroy(), /^(no greeting: ECONNRESET|closed before)/],
    [
      'closing after EHLO',
      (s) => {
        s.write('220 hi\r\n');
        s.on('data', () => s.end());
      },
      /^closed before the answer to EHLO$/,
    ],
    ['busy', saying('421 too many\r\n'), /^220 expected, found "421 too many"$/],
    ['refusing', saying('220 hi\r\n', '502 what\r\n'), /^250 expected, found "502 what"$/],
    ['another protocol', saying('+OK POP3 ready\r\n'), /^not an SMTP reply: "\+OK POP3 ready"$/],
    ['mixed codes', saying('220-hi\r\n250 ho\r\n'), /^not an SMTP reply: "250 ho"$/],
    ['bytes', (s) => s.write(Buffer.from([0, 255, 10, 10])), /^not an SMTP reply/],
    ['a huge line', (s) => s.write(`220 ${'x'.repeat(1 << 20)}`), /^a line is too long: "220 x/],
    ['endless lines', (s) => s.write('220-x\r\n'.repeat(10_000)), /^more than 100 lines: "220-x"$/],
  ];
  for (const [name, onClient, text] of cases) {
    const server = await TestServer.start(t, (socket) => void onClient(socket));
    const outcome = await ask(probeSmtp, server.port, 300);
    t.equal(outcome.isSuccess, false, name);
    t.match(outcome.text, text, name);
    t.ok(outcome.text.length < 200, 'short enough to show');
    await until(() => server.open.size === 0, `${name}: nothing stays open`);
  }
});

t.test('a slow server passes as long as it is in time, piece by piece', async (t) => {
  const server = await TestServer.start(t, (socket) => {
    const pieces = [...'220 slow\r\n'];
    const timer = setInterval(() => socket.write(pieces.shift() ?? ''), 5);
    socket.on('close', () => clearInterval(timer));
    socket.on('data', () => pieces.push(...'250 o', 'k', '\r\n'));
  });
  t.match(await ask(probeSmtp, server.port), { isSuccess: true });
});

t.test('a server that never closes after QUIT costs no time and stays not open', async (t) => {
  const server = await TestServer.start(t, saying('220 hi\r\n', '250 ok\r\n', ''));
  t.match(await ask(probeSmtp, server.port), { isSuccess: true });
  await until(() => server.received.includes('QUIT\r\n'), 'it takes its leave');
  await until(() => server.open.size === 0, 'it is closed in the end');
});

t.test('replies do not depend on how their bytes are cut', async (t) => {
  const wire = Buffer.from('220-one\r\n220 two\r\n250-SIZE\n250\r\n550 no\r\n');
  const whole = new SmtpReplyReader().push(wire);
  t.same(
    whole.map(({ code, text }) => [code, text]),
    [
      [220, '220-one'],
      [250, '250-SIZE'],
      [550, '550 no'],
    ],
  );
  fc.assert(
    fc.property(fc.array(fc.nat(wire.length), { maxLength: 10 }), (cuts) => {
      const edges = [0, ...cuts.sort((a, b) => a - b), wire.length];
      const reader = new SmtpReplyReader();
      const replies: SmtpReply[] = [];
      for (let i = 1; i < edges.length; i += 1) {
        replies.push(...reader.push(wire.subarray(edges[i - 1], edges[i])));
      }
      return JSON.stringify(replies) === JSON.stringify(whole);
    }),
  );
  t.pass('in any pieces');
});

t.test('failing takes failures in a row, passing one success', async (t) => {
  const verdicts = (outcomes: string) => {
    let tally = NOTHING_KNOWN;
    return [...outcomes].map((outcome) => {
      tally = counted(tally, outcome === '+', 3);
      return tally.verdict;
    });
  };
  t.same(verdicts('--+'), ['unknown', 'unknown', 'passing']);
  t.same(verdicts('---'), ['unknown', 'unknown', 'failing']);
  t.same(verdicts('+--+---+'), [
    ...['passing', 'passing', 'passing', 'passing'],
    ...['passing', 'passing', 'failing', 'passing'],
  ]);
  t.equal(combined([]), 'passing');
  t.equal(combined(['passing', 'unknown']), 'unknown');
  t.equal(combined(['passing', 'unknown', 'failing']), 'failing');
  t.equal(combined(['passing', 'passing']), 'passing');
});

function probesFor(t: Test, ...configs: readonly Partial<ProbeConfig>[]) {
  const seen: string[] = [];
  const full = configs.map((config): ProbeConfig => {
    const address = { host: HOST, port: 1 };
    return { type: 'tcp', address, everyMs: 60_000, timeoutMs: 5000, failures: 3, ...config };
  });
  const probes = new Probes(full, { onChange: () => seen.push(probes.verdict) });
  t.teardown(() => probes.stop());
  return { probes, seen };
}

t.test('a service without probes passes', async (t) => {
  const { probes } = probesFor(t);
  t.equal(probes.verdict, 'passing');
  t.same(probes.reports, []);
});

t.test('coming up is noticed soon though probes are rare', async (t) => {
  const port = await closedPort(t);
  const { probes, seen } = probesFor(t, { address: { host: HOST, port } });
  t.match(probes.reports, [{ name: `tcp 127.0.0.1:${port}`, verdict: 'unknown', atMs: null }]);
  probes.start();
  await until(() => probes.verdict === 'failing', 'it fails');
  t.same(probes.failureCounts, [{ probe: `tcp 127.0.0.1:${port}`, count: 3 }]);
  const server = await TestServer.start(t, () => undefined, port);
  await until(() => probes.verdict === 'passing', 'it passes', 2000);
  t.same(seen, ['failing', 'passing']);
  const [report] = probes.reports;
  t.match(report, { verdict: 'passing', text: /^connected/ });
  t.ok(Math.abs((report?.atMs ?? 0) - Date.now()) < 5000);
  t.equal(server.connections, 1, 'and asked rarely from then on');
});

t.test('asked anew, an earlier verdict counts no more', async (t) => {
  const server = await TestServer.start(t, () => undefined);
  const address = { host: HOST, port: server.port };
  const { probes, seen } = probesFor(t, { address }, { address, type: 'smtp', timeoutMs: 100 });
  probes.start();
  probes.start();
  await until(() => probes.verdict === 'failing', 'one of two fails');
  t.same(
    probes.reports.map(({ verdict }) => verdict),
    ['passing', 'failing'],
  );
  t.same(seen, ['unknown', 'failing']);
  probes.reset();
  t.equal(probes.verdict, 'unknown');
  await until(() => probes.verdict === 'failing', 'and is found failing again');
  probes.stop();
  t.equal(probes.verdict, 'unknown');
  await until(() => server.open.size === 0, 'nothing stays open');
  const { connections } = server;
  probes.reset();
  t.equal(server.connections, connections, 'what is stopped stays stopped');
});

t.test('an outcome that comes after a reset counts for nothing', async (t) => {
  const clients: Socket[] = [];
  const server = await TestServer.start(t, (socket) => clients.push(socket));
  const address = { host: HOST, port: server.port };
  const { probes } = probesFor(t, { address, type: 'smtp', failures: 1 });
  probes.start();
  await until(() => clients.length === 1, 'it is asked');
  probes.reset();
  await until(() => clients.length === 2 && server.open.size === 1, 'asked anew, one at a time');
  t.same(
    probes.failureCounts.map(({ count }) => count),
    [0],
  );
  t.equal(probes.verdict, 'unknown');
});

t.test('a probe never runs twice at a time', async (t) => {
  let most = 0;
  const server = await TestServer.start(t, () => {
    most = Math.max(most, server.open.size);
  });
  const address = { host: HOST, port: server.port };
  const { probes } = probesFor(t, { address, type: 'smtp', everyMs: 10, timeoutMs: 60 });
  probes.start();
  await until(() => server.connections >= 5, 'asked often');
  // One that ended may not have been seen to end when the next one comes.
  t.ok(most <= 2, `${most} at a time`);
});
