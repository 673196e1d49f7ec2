/** Live events reach those who listen, and nobody who listens badly harms the node. */

import { connect, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { EventStream } from '../../../src/net/http/event-stream.ts';
import { until } from '../../support/until.ts';
import { AUTHORIZED, serveOnPort } from './fake-node.ts';

interface Listener {
  readonly socket: Socket;
  text(): string;
}

function listen(t: Test, port: number, headers = ''): Listener {
  const socket = connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', () => undefined);
  socket.write(`GET /events HTTP/1.1\r\nhost: test\r\n${headers}\r\n`);
  return { socket, text: () => text };
}

t.test('events are pushed as they happen', async (t) => {
  const { server } = await serveOnPort(t);
  const listener = listen(t, server.port);
  await until(() => listener.text().includes('retry:'), 'the stream is open');
  t.match(listener.text(), /^HTTP\/1\.1 200 /);
  t.match(listener.text(), /content-type: text\/event-stream/);
  t.notMatch(listener.text(), /data:/);

  server.publish({ kind: 'life', from: 'secondary', to: 'elected\n\nevent: forged' });
  await until(() => listener.text().includes('data:'), 'the event');
  const event = /id: (\S+)\nevent: (\S+)\ndata: (.*)\n\n/.exec(listener.text());
  t.equal(event?.[2], 'life');
  t.match(JSON.parse(event?.[3] ?? ''), { kind: 'life', from: 'secondary', at: String });
  t.notMatch(listener.text(), /\nevent: forged/, 'text of an event can not forge another');
});

t.test('who comes back gets what it missed, who is new what is kept', async (t) => {
  const { server } = await serveOnPort(t);
  for (let n = 1; n <= 120; n += 1) server.publish({ kind: 'count', n });
  const numbers = (listener: Listener) =>
    [...listener.text().matchAll(/"n":(\d+)/g)].map(([, n]) => Number(n));

  const fresh = listen(t, server.port);
  await until(() => numbers(fresh).at(-1) === 120, 'all that is kept');
  t.equal(numbers(fresh)[0], 21, 'the last hundred');

  const id = /id: (\S+)\nevent: count\ndata: [^\n]*"n":117\D/.exec(fresh.text())?.[1];
  const back = listen(t, server.port, `last-event-id: ${id}\r\n`);
  await until(() => numbers(back).at(-1) === 120, 'what was missed');
  t.strictSame(numbers(back), [118, 119, 120]);

  const other = listen(t, server.port, 'last-event-id: other-117\r\n');
  await until(() => numbers(other).at(-1) === 120, 'all, for an id of another run');
  t.equal(numbers(other).length, 100);
});

t.test('no more than 64 listen at a time, and one that leaves makes room', async (t) => {
  const { server, url } = await serveOnPort(t);
  const listeners = Array.from({ length: 64 }, () => listen(t, server.port));
  await until(() => listeners.every(({ text }) => text().includes('retry:')), 'all are open');

  const refused = await fetch(`${url}/events`);
  t.equal(refused.status, 429);
  t.match(await refused.json(), { code: 'OVERLOADED' });
  t.equal(refused.headers.get('retry-after'), '1');

  listeners[0]?.socket.destroy();
  await until(async () => {
    const late = await fetch(`${url}/events`);
    await late.body?.cancel();
    return late.status === 200;
  }, 'room for another');
});

t.test('a listener that does not read is cut off', async (t) => {
  const events = new EventStream();
  t.teardown(() => events.close());
  events.open(undefined);
  t.equal(events.listeners, 1);
  const text = 'x'.repeat(64 * 1024);
  for (let n = 0; n < 40; n += 1) events.publish({ kind: 'large', text });
  await until(() => events.listeners === 0, 'it is gone');
});

t.test('a quiet stream says now and then that it lives', async (t) => {
  const events = new EventStream(10);
  t.teardown(() => events.close());
  let text = '';
  events.open(undefined).on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  await until(() => text.split(':\n\n').length > 3, 'some comments');
  t.notMatch(text, /^data:/m, 'and nothing else');
});

t.test('closing the server ends the streams and whoever waits', async (t) => {
  const { node, server, url } = await serveOnPort(t);
  const listener = listen(t, server.port);
  await until(() => listener.text().includes('retry:'), 'the stream is open');
  let isAsked = false;
  node.onBarrier = () => {
    isAsked = true;
    return new Promise(() => undefined);
  };
  const waiting = fetch(`${url}/v1/barrier?wait=10m`, { method: 'POST', headers: AUTHORIZED });
  await until(() => isAsked, 'the barrier is under way');
  await server.close();
  await until(() => listener.socket.closed, 'the listener is let go');
  const answer = await waiting;
  t.equal(answer.status, 202, 'who waited is told that it is under way');
  await t.rejects(fetch(`${url}/livez`), 'and nobody is let in');
});
