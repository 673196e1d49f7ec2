/** Peers over real sockets, plain and with TLS: who may speak, and what becomes of it. */

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import type { PeerMessage } from '../../src/consensus/host/ports.ts';
import { type Hello, type Refusal, WELCOMED } from '../../src/net/transport/hello.ts';
import type { RpcHandler } from '../../src/net/transport/rpc.ts';
import type { TlsFiles } from '../../src/net/transport/security.ts';
import { type Identity, Transport } from '../../src/net/transport/transport.ts';
import { type Authority, makeAuthority } from '../support/certificates.ts';
import { until } from '../support/until.ts';

const TIMES = { pingMs: 50, silenceMs: 400 };

interface Node {
  readonly transport: Transport;
  readonly received: PeerMessage[];
  readonly links: string[];
  readonly unreachable: string[];
}

/** A port that is free now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function node(
  t: Test,
  id: string,
  parts: {
    readonly port: number;
    readonly peers: Readonly<Record<string, number>>;
    readonly tls?: TlsFiles;
    readonly identity?: Partial<Identity>;
    readonly handlers?: Readonly<Record<string, RpcHandler>>;
    readonly refusalOf?: (hello: Hello) => Refusal;
  },
): Promise<Node> {
  const [received, links, unreachable]: [PeerMessage[], string[], string[]] = [[], [], []];
  const identity = {
    ...{ cluster: 'x', id, incarnation: `${id}-1`, clusterId: 'k' },
    ...{ term: 0, vote: '', commit: 0, isWhole: true },
    ...parts.identity,
  };
  const transport = new Transport(
    {
      listen: { host: '127.0.0.1', port: parts.port },
      peers: new Map(
        Object.entries(parts.peers).map(([peer, port]) => [peer, { host: '127.0.0.1', port }]),
      ),
      tls: parts.tls,
      times: TIMES,
      handlers: new Map(Object.entries(parts.handlers ?? {})),
      identity: () => identity,
      refusalOf: parts.refusalOf ?? (() => WELCOMED),
    },
    {
      onMessages: (messages) => received.push(...messages),
      onUnreachable: (peer) => unreachable.push(peer),
      onLink: (peer, channel, text) => links.push(`${peer} ${channel} ${text}`),
      onRolledBack: (reason) => links.push(`rolled back: ${reason}`),
    },
  );
  t.teardown(() => transport.close());
  await transport.start();
  return { transport, received, links, unreachable };
}

const heartbeat = (from: string, to: string, round: number): PeerMessage => ({
  message: { type: 'heartbeat', from, to, term: 1, commit: 0, round },
  promiseMs: 6000,
  fromIncarnation: '',
  toIncarnation: '',
});

const append = (from: string, to: string, bytes: number): PeerMessage => ({
  message: {
    type: 'append',
    from,
    to,
    term: 1,
    prevIndex: 0,
    prevTerm: 0,
    commit: 0,
    entries: [{ term: 1, index: 1, kind: 'command', data: Buffer.alloc(bytes, 7) }],
  },
  promiseMs: 0,
  fromIncarnation: '',
  toIncarnation: '',
});

t.test('messages of all sizes arrive, with TLS and without', async (t) => {
  const authority: Authority = await makeAuthority();
  for (const isTls of [false, true]) {
    const [a, b] = [await freePort(), await freePort()];
    const tls = async (id: string) => (isTls ? { tls: await authority.issue(id) } : {});
    const alpha = await node(t, 'a', { port: a, peers: { b }, ...(await tls('a')) });
    const beta = await node(t, 'b', { port: b, peers: { a }, ...(await tls('b')) });
    await until(() => alpha.transport.isConnected('b'), 'a reaches b');
    await until(() => alpha.links.some((link) => link === 'b log connected'), 'on all channels');
    alpha.transport.send(heartbeat('a', 'b', 1));
    alpha.transport.send(append('a', 'b', 1_000_000));
    await until(() => beta.received.length === 2, 'both arrive');
    t.same(beta.received.map(({ message }) => message.type).sort(), ['append', 'heartbeat']);
  }
});

t.test('who is not who its certificate names is refused', async (t) => {
  const authority = await makeAuthority();
  const [a, b] = [await freePort(), await freePort()];
  const beta = await node(t, 'b', { port: b, peers: {}, tls: await authority.issue('b') });
  const mallory = await node(t, 'a', { port: a, peers: { b }, tls: await authority.issue('m') });
  await until(() => beta.links.some((link) => link.includes('refused')), 'b refuses');
  t.match(beta.links[0], /the certificate is of "m", not of a/);
  t.equal(mallory.transport.isConnected('b'), false);
});

t.test('a certificate of another authority reaches nobody', async (t) => {
  const [own, foreign] = [await makeAuthority(), await makeAuthority()];
  const [a, b] = [await freePort(), await freePort()];
  await node(t, 'b', { port: b, peers: {}, tls: await own.issue('b') });
  const alpha = await node(t, 'a', { port: a, peers: { b }, tls: await foreign.issue('a') });
  await until(() => alpha.links.length > 0, 'the attempt fails');
  t.equal(alpha.transport.isConnected('b'), false);
});

t.test(
  'another cluster, another foundation and another protocol are refused with the reason',
  async (t) => {
    const cases = [
      { identity: { cluster: 'y' }, reason: /this is cluster "x", not "y"/ },
      { identity: { clusterId: 'other' }, reason: /another cluster of the same name/ },
    ];
    for (const { identity, reason } of cases) {
      const [a, b] = [await freePort(), await freePort()];
      await node(t, 'b', { port: b, peers: {} });
      const alpha = await node(t, 'a', { port: a, peers: { b }, identity });
      await until(() => alpha.transport.problemOf('b') !== undefined, 'a is refused');
      t.match(alpha.transport.problemOf('b'), reason);
    }
  },
);

t.test('a node whose storage is an older state of itself is told so', async (t) => {
  const [a, b] = [await freePort(), await freePort()];
  const isOlder = ({ term, commit }: Hello): boolean => term < 7 || commit < 100;
  await node(t, 'b', {
    port: b,
    peers: {},
    refusalOf: (hello) =>
      isOlder(hello) ? { reason: 'it was at 7/100', isRolledBack: true } : WELCOMED,
  });
  const old = await node(t, 'a', { port: a, peers: { b }, identity: { term: 7, commit: 99 } });
  await until(() => old.links.some((link) => link.startsWith('rolled back')), 'a is told');
  t.match(old.links.join(), /rolled back: b refuses: it was at 7\/100/);
  await until(() => old.transport.refusalBy('b') !== undefined, 'on all channels');
  await t.rejects(old.transport.ask('b', 'anything', 0), { code: 'PEER_REFUSED' });
  const current = await node(t, 'c', {
    ...{ port: await freePort(), peers: { b }, identity: { term: 7, commit: 100 } },
  });
  await until(() => current.transport.isConnected('b'), 'one that is not is welcome');
  t.notOk(current.links.some((link) => link.startsWith('rolled back')));
});

t.test('peers come, move and go while the node runs', async (t) => {
  const [a, b, c] = [await freePort(), await freePort(), await freePort()];
  const first = await node(t, 'b', { port: b, peers: {} });
  const alpha = await node(t, 'a', { port: a, peers: {} });
  t.equal(alpha.transport.isConnected('b'), false);
  const at = (port: number) => ({ host: '127.0.0.1', port });
  alpha.transport.setPeers(new Map([['b', at(b)]]));
  await until(() => alpha.transport.isConnected('b'), 'a reaches b');
  const second = await node(t, 'b', { port: c, peers: {} });
  alpha.transport.setPeers(new Map([['b', at(c)]]));
  await until(() => alpha.transport.isConnected('b'), 'a reaches b elsewhere');
  alpha.transport.send(heartbeat('a', 'b', 5));
  await until(() => second.received.length > 0, 'and is heard there');
  t.same(first.received, []);
  alpha.transport.setPeers(new Map());
  t.equal(alpha.transport.isConnected('b'), false);
  await t.rejects(alpha.transport.ask('b', 'anything', 0), { code: 'NOT_FOUND' });
});

t.test('who is not welcome any more loses the connection, and learns why', async (t) => {
  const [a, b] = [await freePort(), await freePort()];
  let reason = '';
  const refusalOf = () => ({ reason, isRolledBack: false });
  const beta = await node(t, 'b', { port: b, peers: {}, refusalOf });
  const alpha = await node(t, 'a', { port: a, peers: { b } });
  await until(() => alpha.transport.isConnected('b'), 'a reaches b');
  reason = 'a was removed';
  beta.transport.setPeers(new Map());
  await until(() => alpha.transport.refusalBy('b') !== undefined, 'a is refused');
  t.match(alpha.transport.refusalBy('b'), /b refuses: a was removed/);
});

t.test('a node that is no peer is asked where it is said to be', async (t) => {
  const [a, b] = [await freePort(), await freePort()];
  await node(t, 'b', { port: b, peers: {}, handlers: { double: (value) => Number(value) * 2 } });
  const { transport } = await node(t, 'a', { port: a, peers: {} });
  const endpoint = { host: '127.0.0.1', port: b };
  t.equal(await transport.askAt({ id: 'b', endpoint }, 'double', 21), 42);
  await t.rejects(transport.askAt({ id: 'c', endpoint }, 'double', 21), {
    code: 'PEER_REFUSED',
    message: /this is b, not c/,
  });
  const nobody = { host: '127.0.0.1', port: await freePort() };
  await t.rejects(transport.askAt({ id: 'b', endpoint: nobody }, 'double', 21), {
    code: 'NO_QUORUM',
    message: /ECONNREFUSED/,
  });
});

t.test("a message in another's name costs the connection", async (t) => {
  const [a, b] = [await freePort(), await freePort()];
  const beta = await node(t, 'b', { port: b, peers: {} });
  const alpha = await node(t, 'a', { port: a, peers: { b } });
  await until(() => alpha.transport.isConnected('b'), 'a reaches b');
  alpha.transport.send(heartbeat('c', 'b', 1));
  await until(() => !alpha.transport.isConnected('b'), 'the connection ends');
  t.same(beta.received, []);
});

t.test('a peer that comes back is reached again by itself', async (t) => {
  const [a, b] = [await freePort(), await freePort()];
  const first = await node(t, 'b', { port: b, peers: {} });
  const alpha = await node(t, 'a', { port: a, peers: { b } });
  await until(() => alpha.transport.isConnected('b'), 'a reaches b');
  await first.transport.close();
  await until(() => alpha.unreachable.includes('b'), 'a notices');
  const second = await node(t, 'b', { port: b, peers: {} });
  await until(() => alpha.transport.isConnected('b'), 'a reaches the new b');
  alpha.transport.send(heartbeat('a', 'b', 2));
  await until(() => second.received.length > 0, 'and is heard');
  t.equal(second.received.length, 1);
});

t.test('a peer that says nothing any more is given up', async (t) => {
  const sockets: Socket[] = [];
  const silent: Server = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
  const address = silent.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const alpha = await node(t, 'a', { port: await freePort(), peers: { b: port } });
  await until(() => alpha.transport.problemOf('b') !== undefined, 'a gives up');
  t.match(alpha.transport.problemOf('b'), /nothing was heard for 400 ms/);
});

t.test(
  'questions are answered, refused with their code, and fail with the connection',
  async (t) => {
    const [a, b] = [await freePort(), await freePort()];
    let isAsked = false;
    const beta = await node(t, 'b', {
      port: b,
      peers: {},
      handlers: {
        double: (value) => Number(value) * 2,
        hang: () => {
          isAsked = true;
          return new Promise(() => undefined);
        },
      },
    });
    const alpha = await node(t, 'a', { port: a, peers: { b } });
    await until(() => alpha.links.includes('b bulk connected'), 'a reaches b');
    t.equal(await alpha.transport.ask('b', 'double', 21), 42);
    await t.rejects(alpha.transport.ask('b', 'nothing', 0), { code: 'NOT_FOUND' });
    await t.rejects(alpha.transport.ask('b', 'hang', 0, 50), { code: 'TIMED_OUT' });
    const hanging = alpha.transport.ask('b', 'hang', 0);
    await until(() => isAsked, 'b is asked');
    const failed = t.rejects(hanging, { code: 'NO_QUORUM' });
    await beta.transport.close();
    await failed;
  },
);

t.test('bytes that are no frames cost only the one who sent them', async (t) => {
  const b = await freePort();
  const beta = await node(t, 'b', { port: b, peers: {} });
  const socket = connect(b, '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  socket.write('GET / HTTP/1.1\r\n\r\n'.repeat(50));
  await once(socket, 'close');
  t.match(beta.links, [/refused: a frame of \d+ bytes/]);
});
