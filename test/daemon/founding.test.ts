/** How a cluster comes to be, and how it does not (safety rule 24), without a network. */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Config } from '../../src/config/config.ts';
import { Founding } from '../../src/daemon/founding.ts';
import { IdentityStore } from '../../src/daemon/identity.ts';
import { MailraftError } from '../../src/errors.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import { until } from '../support/until.ts';

const IDS = ['n1', 'n2', 'n3'];

/** Of members, beside what goes for all. */
type Changes = Readonly<Record<string, Partial<Config['members'][number]>>>;

class Node {
  readonly id: string;
  readonly volume: string;
  readonly dataDir: string;
  readonly warnings: unknown[] = [];
  identity: IdentityStore;
  founding: Founding | undefined;
  foundedTimes = 0;
  voters: readonly string[] = IDS;
  readonly #changes: Changes;

  constructor(where: Scratch, id: string, changes: Changes) {
    this.id = id;
    this.#changes = changes;
    this.volume = join(where.path, id, 'mail');
    this.dataDir = join(where.path, id, 'data');
    mkdirSync(this.volume, { recursive: true });
    this.identity = new IdentityStore(this.dataDir, { cluster: 'example', id });
  }

  get clusterId(): string {
    return this.identity.current.clusterId;
  }

  get config(): Config {
    const { id, volume: path } = this;
    const members = this.voters.map((voter) => ({
      ...{ id: voter, role: 'voter', origin: voter === 'n1', priority: 0, site: '' },
      ...{ address: { host: '127.0.0.1', port: 7400 }, canBePrimary: true },
      ...this.#changes[voter],
    }));
    const volumes = [{ name: 'mail', path, exclude: [] }];
    return { node: { id }, members, volumes } as unknown as Config;
  }

  fill(files: number): void {
    for (let at = 0; at < files; at += 1) {
      const directory = join(this.volume, `${at % 3}`);
      mkdirSync(directory, { recursive: true });
      writeFileSync(join(directory, `${at}`), '');
    }
    // What is mailraft's own, and what is no file, does not count.
    mkdirSync(join(this.volume, '.mailraft'), { recursive: true });
    writeFileSync(join(this.volume, '.mailraft', 'staged'), '');
  }
}

/** Nodes that can ask each other as long as both run and the test does not cut them. */
class Group {
  readonly nodes: readonly Node[];
  /** Questions that do not arrive, as `n1>n2 found.join`. */
  readonly cut = new Set<string>();

  constructor(t: Test, changes: Changes = {}) {
    const where = scratch(t);
    this.nodes = IDS.map((id) => new Node(where, id, changes));
    where.onClose(() => {
      for (const node of this.nodes) node.founding?.close();
    });
  }

  start(id: string, isForced = false): Node {
    const node = this.of(id);
    const tell = (fields: unknown): void => {
      node.warnings.push(fields);
    };
    const log = { debug: () => {}, info: () => {}, warn: tell, error: tell };
    node.founding = new Founding({ config: node.config, identity: node.identity, log }, isForced, {
      ask: (peer, method, params) => this.#ask(node, peer, method, params),
      refusalBy: (peer) => this.#refusal(this.of(peer), node),
      isListed: () => true,
      onFounded: () => {
        node.foundedTimes += 1;
      },
    });
    node.founding.start();
    return node;
  }

  /** The process dies; what it wrote stays. */
  stop(id: string): void {
    const node = this.of(id);
    node.founding?.close();
    node.founding = undefined;
    node.identity = new IdentityStore(node.dataDir, { cluster: 'example', id });
  }

  wipe(id: string): void {
    const node = this.of(id);
    rmSync(node.dataDir, { recursive: true });
    node.identity = new IdentityStore(node.dataDir, { cluster: 'example', id });
  }

  of(id: string): Node {
    const node = this.nodes.find((each) => each.id === id);
    if (node === undefined) throw new Error(`no node ${id}`);
    return node;
  }

  async untilProblem(id: string, problem: RegExp): Promise<void> {
    const { founding } = this.of(id);
    const text = (): string => `${id} says ${problem}, it says ${founding?.problem}`;
    await until(() => problem.test(founding?.problem ?? ''), text);
  }

  async untilFounded(ids = IDS): Promise<void> {
    const isFounded = (): boolean => ids.every((id) => this.of(id).clusterId !== '');
    await until(isFounded, `${ids.join()} to be founded`);
  }

  async #ask(from: Node, peer: string, method: string, params: unknown): Promise<unknown> {
    const to = this.of(peer);
    await new Promise((resolve) => setImmediate(resolve));
    if (to.founding === undefined || this.cut.has(`${from.id}>${peer} ${method}`)) {
      throw new MailraftError('NO_QUORUM', `${peer} is out of reach`);
    }
    const refusal = this.#refusal(to, from);
    if (refusal !== undefined) throw new MailraftError('PEER_REFUSED', refusal);
    return method === 'found.ask' ? await to.founding.answerAsk() : to.founding.answerJoin(params);
  }

  /** As the transport refuses a peer that comes with another directory. */
  #refusal(of: Node, whom: Node): string | undefined {
    const { members } = of.identity.current;
    const known = members.find(({ id }) => id === whom.id)?.incarnation;
    if (of.founding === undefined) return undefined;
    const isKnown = known === undefined || known === whom.identity.current.incarnation;
    return isKnown ? undefined : `${of.id} refuses ${whom.id}`;
  }
}

t.test('nodes that are all empty become one cluster', async (t) => {
  const group = new Group(t);
  for (const id of ['n3', 'n2']) group.start(id);
  t.match(group.of('n2').founding?.problem, 'waiting for the origin to found the cluster');
  group.start('n1');
  await group.untilFounded();
  await until(() => group.of('n1').founding?.problem === undefined, 'nothing to wait for');
  const [first] = group.nodes;
  t.equal(new Set(group.nodes.map(({ clusterId }) => clusterId)).size, 1);
  for (const { identity, foundedTimes, founding } of group.nodes) {
    t.same(identity.current.members, first?.identity.current.members);
    t.equal(foundedTimes, 1);
    t.equal(founding?.problem, undefined);
  }
  const { incarnation } = group.of('n3').identity.current;
  t.match(first?.identity.current.members[2], { id: 'n3', incarnation, role: 'voter' });
});

t.test('what the file says of its members is what the cluster begins with', async (t) => {
  const group = new Group(t, { n3: { role: 'learner', priority: 7, site: 'osaka' } });
  for (const id of IDS) group.start(id);
  await group.untilFounded();
  const [, , third] = group.of('n2').identity.current.members;
  t.equal(third?.role, 'learner');
  t.match(JSON.parse(third?.info ?? ''), { address: '127.0.0.1:7400', priority: 7, site: 'osaka' });
});

t.test('nothing is founded before every voter has answered', async (t) => {
  const group = new Group(t);
  group.start('n1');
  group.start('n2');
  await group.untilProblem('n1', /n3 is out of reach/);
  t.same(
    group.nodes.map(({ clusterId }) => clusterId),
    ['', '', ''],
  );
  t.same(group.of('n1').warnings, [{ reason: 'n3 is out of reach' }], 'and it is said once');
  group.start('n3');
  await group.untilFounded();
});

t.test('an origin that crashed between its founding and its invitations goes on', async (t) => {
  const group = new Group(t);
  for (const peer of ['n2', 'n3']) group.cut.add(`n1>${peer} found.join`);
  for (const id of IDS) group.start(id);
  await group.untilFounded(['n1']);
  const { clusterId } = group.of('n1');
  group.stop('n1');
  group.cut.delete('n1>n2 found.join');
  group.start('n1');
  await group.untilFounded(['n1', 'n2']);
  await group.untilProblem('n1', /n3 is out of reach/);
  group.cut.clear();
  await group.untilFounded();
  t.same(
    group.nodes.map((node) => node.clusterId),
    [clusterId, clusterId, clusterId],
  );
});

t.test('voters that differ found nothing, and both lists are told', async (t) => {
  const group = new Group(t);
  group.of('n3').voters = ['n1', 'n3', 'n4'];
  for (const id of IDS) group.start(id);
  await group.untilProblem('n1', /^n3 lists the voters n1, n3, n4, this node lists n1, n2, n3/);
  t.equal(group.of('n1').clusterId, '');
});

t.test('a member of a cluster is not founded anew by an origin that was wiped', async (t) => {
  const group = new Group(t);
  for (const id of IDS) group.start(id);
  await group.untilFounded();
  const { clusterId } = group.of('n2');
  group.stop('n1');
  group.wipe('n1');
  group.start('n1');
  await group.untilProblem('n1', /n2 refuses n1/);
  t.equal(group.of('n1').clusterId, '');
  t.equal(group.of('n1').foundedTimes, 1, 'only the founding of before');
  t.equal(group.of('n2').clusterId, clusterId);
});

t.test('nor by one that this member never knew', async (t) => {
  const group = new Group(t);
  group.of('n2').identity.join('another', []);
  for (const id of IDS) group.start(id);
  await group.untilProblem('n1', /^n2 belongs to a cluster already: run `mailraft member add n1 /);
  t.equal(group.of('n1').clusterId, '');
  t.equal(group.of('n3').clusterId, '');
});

t.test('a secondary that was wiped is not invited again', async (t) => {
  const group = new Group(t);
  for (const id of IDS) group.start(id);
  await group.untilFounded();
  for (const id of ['n1', 'n2']) group.stop(id);
  group.wipe('n2');
  group.start('n2');
  await group.untilProblem('n2', /n3 refuses n2/);
  group.start('n1');
  await group.untilProblem('n1', /n2 has another data directory now: run `mailraft member add n2 /);
  t.equal(group.of('n2').clusterId, '');
});

t.test('an invitation to another cluster is refused, one to the own is no news', (t) => {
  const group = new Group(t);
  const node = group.start('n2');
  const { incarnation } = node.identity.current;
  const invitation = (clusterId: string) => ({ clusterId, incarnation, members: [] });
  t.same(node.founding?.answerJoin(invitation('c1')), { joined: true });
  t.same(node.founding?.answerJoin(invitation('c1')), { joined: true });
  t.equal(node.foundedTimes, 1);
  t.throws(() => node.founding?.answerJoin(invitation('c2')), { code: 'REFUSED' });
  for (const nonsense of [undefined, {}, { clusterId: '', members: [] }, { clusterId: 'c' }]) {
    t.throws(() => node.founding?.answerJoin(nonsense), { code: 'DATA_INVALID' });
  }
  t.equal(node.clusterId, 'c1');
  t.end();
});

t.test('an origin with much less than another member founds only when it is told to', async (t) => {
  const group = new Group(t);
  group.of('n1').fill(4);
  group.of('n2').fill(9);
  for (const id of IDS) group.start(id);
  await group.untilProblem('n1', /"mail" has 4 files here, at the origin, and 9 at n2/);
  t.equal(group.of('n1').clusterId, '');
  group.stop('n1');
  group.start('n1', true);
  await group.untilFounded();
});

t.test('an origin with about as much as the others founds unasked', async (t) => {
  const group = new Group(t);
  group.of('n1').fill(5);
  group.of('n2').fill(10);
  for (const id of IDS) group.start(id);
  await group.untilFounded();
  t.equal(group.of('n1').warnings.length, 0);
});
