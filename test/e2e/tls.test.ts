/**
 * Nodes that speak mutual TLS with each other (about 25 s): they do all that they do in
 * plain text, and one whose certificate another authority issued is let in nowhere.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { parse, stringify } from 'yaml';
import type { StatusReport } from '../../src/net/http/node-port.ts';
import { type Authority, makeAuthority } from '../support/certificates.ts';
import { ThreeNodes } from './three-nodes.ts';

t.setTimeout(120_000);

/** Gives a node certificate and key of an authority, and names them in its configuration. */
async function certify(nodes: ThreeNodes, id: string, authority: Authority): Promise<void> {
  const { configFile } = nodes.node(id);
  const folder = dirname(configFile);
  const files = await authority.issue(id);
  for (const [name, pem] of Object.entries(files)) {
    writeFileSync(join(folder, `${name}.pem`), pem, { mode: 0o600 });
  }
  const config = parse(readFileSync(configFile, 'utf8'));
  const tls = { ca: 'ca.pem', cert: 'cert.pem', key: 'key.pem' };
  writeFileSync(configFile, stringify({ ...config, peers: { ...config.peers, tls } }));
}

t.test('three nodes speak TLS, and a stranger is let in nowhere', async (t) => {
  const nodes = await ThreeNodes.create(t);
  const authority = await makeAuthority();
  for (const id of nodes.ids) await certify(nodes, id, authority);

  await nodes.serve();
  const marks = [...(await nodes.deliver(5, 300_000))];
  await nodes.barrier();
  await nodes.prove(t, marks, 'over TLS');

  const first = await nodes.primary();
  await nodes.cluster.killDaemon(first);
  const second = await nodes.primary(undefined, first);
  t.not(second, first, 'another takes over');

  await certify(nodes, first, await makeAuthority());
  nodes.cluster.start(first);
  const isShutOut = ({ isConnected, problem }: StatusReport['peers'][number]) =>
    !isConnected && /certificate|unable to verify|self-signed/i.test(problem ?? '');
  await nodes.says(
    first,
    'it reaches nobody, and why',
    ({ peers }) => peers.length === 2 && peers.every(isShutOut),
  );
  t.equal(
    (await nodes.status(first)).peers.some(({ isConnected }) => isConnected),
    false,
  );
  marks.push(...(await nodes.deliver(3)));
  await nodes.barrier();
  t.equal(await nodes.primary(), second, 'the others go on');

  await nodes.cluster.killDaemon(first);
  await certify(nodes, first, authority);
  nodes.cluster.start(first);
  await nodes.prove(t, marks, 'after it has its certificate again');
});
