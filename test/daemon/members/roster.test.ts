/** Who the members are: of the file at first, of the group from then on. */

import t from 'tap';
import type { Config } from '../../../src/config/config.ts';
import { membershipOf } from '../../../src/consensus/core/membership/membership.ts';
import { decodeInfo, encodeInfo } from '../../../src/daemon/members/member-info.ts';
import { placeOf, Roster } from '../../../src/daemon/members/roster.ts';

const member = (id: string, port: number): Config['members'][number] => ({
  ...{ id, role: 'voter', priority: 5, site: 'tokyo', origin: id === 'n1', canBePrimary: true },
  address: { host: '127.0.0.1', port },
});
const FILE = {
  node: { id: 'n1', dataDir: '/data' },
  members: [member('n1', 7401), member('n2', 7402), member('n3', 7403)],
};
const info = (port: number, site = 'tokyo'): string =>
  encodeInfo({ address: `127.0.0.1:${port}`, priority: 9, site, canBePrimary: true });

t.test('before the group says anything the file does', async (t) => {
  const roster = new Roster(FILE, () => undefined);
  t.match(roster.find('n2'), { standing: 'voter', incarnation: '', address: '127.0.0.1:7402' });
  t.equal(roster.isGroups, false);
  t.same(
    roster.others.map(({ id }) => id),
    ['n2', 'n3'],
  );
});

t.test('what the group says counts, whatever stands in the file', async (t) => {
  let changes = 0;
  const roster = new Roster(FILE, () => {
    changes += 1;
  });
  roster.adopt(
    membershipOf({
      voters: ['n2', 'n4'],
      learners: ['n3'],
      details: {
        n2: { incarnation: 'b', info: info(8002) },
        n3: { incarnation: 'c', info: 'of another version' },
        n4: { incarnation: 'd', info: info(8004) },
      },
    }),
  );
  t.equal(changes, 1);
  t.equal(roster.self, undefined, 'this node was removed');
  t.match(roster.find('n2'), { incarnation: 'b', endpoint: { port: 8002 }, priority: 9 });
  t.match(roster.find('n3'), { standing: 'learner', incarnation: 'c', endpoint: { port: 7403 } });
  t.match(roster.find('n4'), { standing: 'voter', endpoint: { host: '127.0.0.1', port: 8004 } });
});

t.test('a witness, and voters of both halves of a joint configuration, are members', async (t) => {
  const roster = new Roster(FILE, () => undefined);
  roster.adopt(membershipOf({ voters: ['n1', 'n2'], outgoing: ['n1', 'n3'], witness: 'n3' }));
  t.same(
    roster.members.map(({ id, standing }) => `${id} ${standing}`),
    ['n1 voter', 'n2 voter', 'n3 witness'],
  );
});

t.test('a learner at a site of its own is there for the loss of the others', async (t) => {
  const roster = new Roster(FILE, () => undefined);
  const details = {
    n1: { incarnation: 'a', info: info(1) },
    n2: { incarnation: 'b', info: info(2) },
    n3: { incarnation: 'c', info: info(3, 'osaka') },
    n4: { incarnation: 'd', info: info(4, '') },
  };
  roster.adopt(membershipOf({ voters: ['n1'], learners: ['n2', 'n3', 'n4'], details }));
  t.same(
    roster.members.map((one) => placeOf(roster, one)),
    ['secondary', 'replica', 'dr', 'replica'],
  );
});

t.test('what is no description of a member is known as none', async (t) => {
  const good = { address: 'a:1', priority: 1, site: '', canBePrimary: false };
  t.same(decodeInfo(encodeInfo(good)), good);
  for (const text of ['', '{', 'null', '[]', '{}', JSON.stringify({ ...good, priority: -1 })]) {
    t.equal(decodeInfo(text), undefined, text);
  }
});
