/** The shared address without root: passes bytes on while it is held, and none after. */

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as lasting } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { bootTimeMs } from '../../src/platform/linux/clock.ts';
import type { AddressDriver } from '../../src/service/address/address-driver.ts';
import { makeAddress } from '../../src/service/address/make-address.ts';
import { until } from '../support/until.ts';

const HOST = '127.0.0.1';

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('does not listen');
  return address.port;
}

async function listening(t: Test, onClient: (socket: Socket) => void): Promise<Server> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onClient(socket);
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return server;
}

/** A port that nobody has at this moment. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const port = portOf(server);
  server.close();
  await once(server, 'close');
  return port;
}

interface Proxy {
  readonly driver: AddressDriver;
  readonly port: number;
  changes: number;
}

async function proxyTo(t: Test, to: number, at?: number): Promise<Proxy> {
  const port = at ?? (await freePort());
  const proxy = { port, changes: 0 };
  const config = {
    driver: 'proxy' as const,
    listen: { host: HOST, port },
    to: { host: HOST, port: to },
  };
  const onChange = () => {
    proxy.changes += 1;
  };
  const driver = await makeAddress(config, { onChange });
  t.teardown(() => driver.close());
  return Object.assign(proxy, { driver });
}

async function held({ driver }: Proxy, ms = 60_000): Promise<void> {
  driver.hold(bootTimeMs() + ms);
  await until(() => driver.isHeld, 'the address is held');
}

class Client {
  received = '';
  isClosed = false;
  hasEnded = false;
  error: string | undefined;
  readonly socket: Socket;

  constructor(t: Test, port: number) {
    this.socket = connect({ host: HOST, port, allowHalfOpen: true });
    this.socket.setEncoding('latin1').on('data', (text: string) => {
      this.received += text;
    });
    this.socket.on('end', () => {
      this.hasEnded = true;
    });
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error.code;
    });
    this.socket.on('close', () => {
      this.isClosed = true;
    });
    t.teardown(() => this.socket.destroy());
  }
}

const echo = (socket: Socket) => socket.pipe(socket);

t.test('bytes go both ways, megabytes too, and the end of each side is passed on', async (t) => {
  const proxy = await proxyTo(t, portOf(await listening(t, echo)));
  t.equal(proxy.driver.label, `127.0.0.1:${proxy.port}`);
  t.equal(proxy.driver.expiry, 'process');
  await held(proxy);
  t.equal(proxy.changes, 1);
  const client = new Client(t, proxy.port);
  const text = 'all work and no play\r\n'.repeat(200_000);
  client.socket.end(text);
  await until(() => client.hasEnded, 'the end came back');
  t.ok(client.received === text, 'what came back is what was sent');
  await until(() => client.isClosed, 'closed');
  t.equal(client.error, undefined);
});

t.test('who reads slowly slows down who sends', async (t) => {
  let sent = 0;
  const service = await listening(t, (socket) => {
    const more = () => {
      while (!socket.destroyed && sent < 512 << 20) {
        sent += 1 << 20;
        if (!socket.write(Buffer.alloc(1 << 20))) return socket.once('drain', more);
      }
      return socket;
    };
    more();
  });
  const proxy = await proxyTo(t, portOf(service));
  await held(proxy);
  const client = new Client(t, proxy.port);
  client.socket.pause();
  let before = -1;
  await until(async () => {
    const isStill = before === sent && sent > 0;
    before = sent;
    await lasting(100);
    return isStill;
  }, 'the service may send no more');
  t.ok(sent < 64 << 20, `${sent >> 20} MiB under way`);
});

t.test('a drop ends open connections and refuses the next ones at once', async (t) => {
  const service: Socket[] = [];
  const proxy = await proxyTo(t, portOf(await listening(t, (socket) => service.push(socket))));
  await held(proxy);
  const client = new Client(t, proxy.port);
  await until(() => service.length === 1, 'the service has the client');
  let isServiceClosed = false;
  service[0]?.resume().on('close', () => {
    isServiceClosed = true;
  });
  service[0]?.on('end', () => service[0]?.end());
  proxy.driver.drop();
  t.equal(proxy.driver.isHeld, false);
  // Nothing runs in between: it is refused because the socket is closed by then.
  const late = new Client(t, proxy.port);
  await until(() => late.isClosed && client.hasEnded, 'both are over');
  t.equal(late.error, 'ECONNREFUSED');
  await until(() => isServiceClosed, 'the service knows');
  proxy.driver.drop();
  t.equal(proxy.changes, 2, 'nothing more to say');
});

t.test('who still has the port is waited for', async (t) => {
  const service = await listening(t, echo);
  const first = await proxyTo(t, portOf(service));
  const second = await proxyTo(t, portOf(service), first.port);
  await held(first);
  const client = new Client(t, first.port);
  client.socket.write('one');
  await until(() => client.received === 'one', 'served by the first');
  second.driver.hold(bootTimeMs() + 60_000);
  await until(() => second.driver.problem !== undefined, 'it says so');
  t.match(
    second.driver.problem,
    /can not listen on 127\.0\.0\.1:\d+: another process listens there/,
  );
  t.equal(second.driver.isHeld, false);
  first.driver.drop();
  const droppedAtMs = performance.now();
  await until(() => second.driver.isHeld, 'the second has it, without being told again');
  t.ok(performance.now() - droppedAtMs < 500);
  t.equal(second.driver.problem, undefined);
  const next = new Client(t, first.port);
  next.socket.write('two');
  await until(() => next.received === 'two', 'served by the second');
});

t.test('it ends by itself when nobody holds it longer', async (t) => {
  const service: Socket[] = [];
  const proxy = await proxyTo(t, portOf(await listening(t, (socket) => service.push(socket))));
  const untilMs = bootTimeMs() + 300;
  proxy.driver.hold(untilMs);
  await until(() => proxy.driver.isHeld, 'held');
  const client = new Client(t, proxy.port);
  await until(() => service.length === 1, 'connected');
  await until(() => client.hasEnded, 'over');
  t.ok(bootTimeMs() >= untilMs, 'not before its time');
  t.equal(proxy.driver.isHeld, false);
  t.ok(bootTimeMs() < untilMs + 150, 'and soon after');
});

t.test('no byte passes after the end, also when timers are late', async (t) => {
  const service: Socket[] = [];
  const proxy = await proxyTo(t, portOf(await listening(t, (socket) => service.push(socket))));
  await held(proxy, 400);
  const client = new Client(t, proxy.port);
  await until(() => service.length === 1, 'connected');
  service[0]?.write('220 ');
  await until(() => client.received === '220 ', 'bytes pass');
  // The thread stands still in one event until after the end; the proxy's bytes are the next.
  let hasStood = false;
  let isThere = false;
  const still = await listening(t, (socket) => {
    isThere = true;
    socket.on('data', () => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 450);
      hasStood = true;
    });
  });
  const other = new Client(t, portOf(still));
  await until(() => isThere && other.socket.readyState === 'open', 'connected');
  other.socket.write('stand still');
  service[0]?.write('250 too late');
  await until(() => client.isClosed || client.hasEnded, 'over');
  t.ok(hasStood);
  t.equal(client.received, '220 ');
});

t.test('a hold whose time is over takes nothing, and a drop before it listens wins', async (t) => {
  const proxy = await proxyTo(t, portOf(await listening(t, echo)));
  proxy.driver.hold(bootTimeMs() - 1);
  t.equal(proxy.driver.isHeld, false);
  proxy.driver.hold(bootTimeMs() + 60_000);
  proxy.driver.drop();
  await lasting(50);
  t.equal(proxy.driver.isHeld, false);
  const late = new Client(t, proxy.port);
  await until(() => late.isClosed, 'refused');
  t.equal(late.error, 'ECONNREFUSED');
  await held(proxy);
  proxy.driver.close();
  proxy.driver.hold(bootTimeMs() + 60_000);
  t.equal(proxy.driver.isHeld, false, 'closed for good');
});

t.test('a service that is not there costs its client the connection, nothing else', async (t) => {
  const proxy = await proxyTo(t, await freePort());
  await held(proxy);
  const client = new Client(t, proxy.port);
  client.socket.write('EHLO');
  await until(() => client.isClosed || client.hasEnded, 'over');
  t.equal(client.received, '');
  t.equal(proxy.driver.isHeld, true);
});

t.test('what can not be listened on is named', async (t) => {
  const config = {
    driver: 'proxy' as const,
    listen: { host: '192.0.2.1', port: await freePort() },
    to: { host: HOST, port: 1 },
  };
  const driver = await makeAddress(config, { onChange: () => undefined });
  t.teardown(() => driver.close());
  driver.hold(bootTimeMs() + 60_000);
  await until(() => driver.problem !== undefined, 'a problem');
  t.match(driver.problem, /EADDRNOTAVAIL/);
  t.equal(driver.isHeld, false);
});
