/** The hand-made client of etcd speaks gRPC as a server of gRPC understands it. */

import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { EtcdClient } from '../../bench/consensus/clients/etcd-client.ts';
import {
  bytesField,
  bytesOf,
  fieldsOf,
  numberField,
} from '../../bench/consensus/clients/protobuf.ts';

type Answer = (method: string, message: Buffer) => Buffer | undefined;

/** A server that answers each call with a message, or refuses it. */
async function serve(t: Test, answer: Answer): Promise<EtcdClient> {
  const server: Http2Server = createServer();
  server.on('stream', (stream, headers) => {
    const parts: Buffer[] = [];
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('end', () => respond(stream, answer(String(headers[':path']), messageIn(parts))));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = new EtcdClient((server.address() as AddressInfo).port);
  t.teardown(() => {
    client.close();
    server.close();
  });
  return client;
}

function messageIn(parts: readonly Buffer[]): Buffer {
  return Buffer.concat(parts).subarray(5);
}

function respond(stream: ServerHttp2Stream, message: Buffer | undefined): void {
  const headers = { ':status': 200, 'content-type': 'application/grpc' };
  if (message === undefined) {
    stream.respond({ ...headers, 'grpc-status': '14' }, { endStream: true });
    return;
  }
  stream.respond(headers, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  stream.end(Buffer.concat([prefix, message]));
}

const put = (client: EtcdClient, key: string, value: Buffer): Promise<void> =>
  new Promise((resolve, reject) => {
    client.put(key, value, (error) => (error === undefined ? resolve() : reject(error)));
  });

t.test('a put arrives with its key and value, however many go before', async (t) => {
  const stored = new Map<string, string>();
  const client = await serve(t, (method, message) => {
    const fields = fieldsOf(message);
    if (method !== '/etcdserverpb.KV/Put') return undefined;
    stored.set(bytesOf(fields, 1).toString(), bytesOf(fields, 2).toString());
    return Buffer.alloc(0);
  });
  const value = Buffer.alloc(4096, 'v');
  // More than the window of the connection, so that the server has to open it again.
  for (let at = 0; at < 40; at += 1) await put(client, `k${at}`, value);
  t.equal(stored.size, 40);
  t.equal(stored.get('k39'), value.toString());
});

t.test('a call that is refused, or whose server is gone, fails', async (t) => {
  const client = await serve(t, () => undefined);
  await t.rejects(put(client, 'k', Buffer.from('v')), { message: /refused/ });
  client.close();
  await t.rejects(put(client, 'k', Buffer.from('v')), { code: 'NO_QUORUM' });
});

t.test('keys are listed with their values, behind the one that was last', async (t) => {
  const client = await serve(t, (_method, message) => {
    const fields = fieldsOf(message);
    t.equal(bytesOf(fields, 1).toString(), 'a\0');
    const pair = (key: string) =>
      bytesField(
        2,
        Buffer.concat([bytesField(1, Buffer.from(key)), bytesField(5, Buffer.from(`of ${key}`))]),
      );
    return Buffer.concat([bytesField(1, numberField(3, 70_000)), pair('b'), pair('c')]);
  });
  const found = await client.list('a', 10);
  t.same(
    found.map(({ key, value }) => `${key} ${value}`),
    ['b of b', 'c of c'],
  );
});

t.test('a member leads that is the one it names as leader', async (t) => {
  const member = (self: number, leader: number): Answer => {
    const header = bytesField(1, Buffer.concat([numberField(1, 9), numberField(2, self)]));
    return () => Buffer.concat([header, numberField(4, leader)]);
  };
  t.equal(await (await serve(t, member(12_345, 12_345))).leads(), true);
  t.equal(await (await serve(t, member(12_345, 9))).leads(), false);
  t.equal(await (await serve(t, member(0, 0))).leads(), false);
});
