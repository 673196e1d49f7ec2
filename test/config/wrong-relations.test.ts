/**
 * Keys that are right by themselves are refused when they do not fit each other or the
 * machine: each fault with its line, its key, what was found and what is accepted.
 */

import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { refuses, type Wrong, wrong } from './wrong.ts';

const FREE = 'a free address of a machine in its subnet, such as 10.77.0.100/24';
const VOTERS = 'an odd number of voters, 1, 3, 5 or 7';
const ORIGIN = 'one member with origin: true, whose data the cluster starts from';
const SECOND = '  - { id: mail2, address: 10.77.0.12:7400 }';
const THIRD = '  - { id: mail3, address: 10.77.0.13:7400 }\n';
const LAST = 'timing: fast\n';

const MEMBERS: readonly Wrong[] = [
  wrong('two members of one id', [['id: mail3', 'id: mail2']], {
    on: '10.77.0.13:7400',
    key: 'members[2].id',
    found: '"mail2", which is that of members[1] too',
    accepted: 'an id that no other member has',
  }),
  wrong('two members at one address', [['10.77.0.13:7400', '10.77.0.12:7400']], {
    on: 'mail3',
    key: 'members[2].address',
    found: '"10.77.0.12:7400", which is that of members[1] too',
    accepted: 'an address that no other member has',
  }),
  wrong('two voters', [[THIRD, '']], {
    on: 'members:',
    key: 'members',
    found: '2 voters',
    accepted: VOTERS,
  }),
  wrong('two voters and a learner', [['13:7400', '13:7400, role: learner']], {
    on: 'members:',
    key: 'members',
    found: '2 voters',
    accepted: VOTERS,
  }),
  wrong(
    'an origin without a vote',
    [
      ['origin: true', 'origin: true, role: learner'],
      [THIRD, THIRD + THIRD.replace('mail3', 'mail4').replace('0.13', '0.14')],
    ],
    {
      on: 'origin: true',
      key: 'members[0].role',
      found: 'learner',
      accepted: 'voter for the member with origin: true, which is the first primary',
    },
  ),
  wrong(
    'nine voters',
    [
      [
        THIRD,
        THIRD.repeat(7).replaceAll(
          /mail3(.*)0\.13/g,
          (_, middle, at) => `m${at}${middle}0.${at % 200}`,
        ),
      ],
    ],
    { on: 'members:', key: 'members', found: '9 voters', accepted: VOTERS },
  ),
  wrong('a node that is no member', [['id: mail1\n', 'id: mail9\n']], {
    on: 'id: mail9',
    key: 'node.id',
    found: '"mail9"',
    accepted: 'the id of one of the members: mail1, mail2, mail3',
  }),
  wrong('no origin', [[', origin: true', '']], {
    on: 'members:',
    key: 'members',
    found: 'no origin',
    accepted: ORIGIN,
  }),
  wrong('two origins', [[SECOND, SECOND.replace(' }', ', origin: true }')]], {
    on: 'mail2',
    key: 'members[1].origin',
    found: 'true, as in members[0]',
    accepted: ORIGIN,
  }),
  wrong(
    'an origin that may not be primary',
    [['origin: true', 'origin: true, canBePrimary: false']],
    {
      on: 'mail1, address',
      key: 'members[0].canBePrimary',
      found: 'false',
      accepted: 'true for the member with origin: true, which is the first primary',
    },
  ),
];

const NETWORK: readonly Wrong[] = [
  wrong('plaintext between machines that nobody allowed', [['  allowPlaintext: true\n', '']], {
    on: 'tls:',
    key: 'peers.tls',
    found: '"off" with a member on another machine, 10.77.0.11:7400',
    accepted: 'a mapping with ca, cert and key',
  }),
  wrong(
    'plaintext on one machine at a port that is open to others',
    [
      ['  allowPlaintext: true\n', ''],
      ['10.77.0.11:7400, origin', '127.0.0.1:7401, origin'],
      ['10.77.0.12', '127.0.0.1'],
      ['10.77.0.13:7400', '127.0.0.1:7403'],
      ['listen: 10.77.0.11:7400', 'listen: 0.0.0.0:7401'],
    ],
    {
      on: 'tls:',
      key: 'peers.tls',
      found: '"off" where other machines can connect',
      accepted: 'a mapping with ca, cert and key',
    },
  ),
  wrong('the address of the subnet itself', [['10.77.0.100/24', '10.77.0.0/24']], {
    on: 'eth0',
    key: 'address[0].address',
    found: '"10.77.0.0/24", the address of the subnet itself',
    accepted: FREE,
  }),
  wrong('the broadcast address of the subnet', [['10.77.0.100/24', '10.77.0.127/25']], {
    on: 'eth0',
    key: 'address[0].address',
    found: '"10.77.0.127/25", the broadcast address of its subnet',
    accepted: FREE,
  }),
  wrong("a member's own address shared", [['10.77.0.100/24', '10.77.0.13/24']], {
    on: 'eth0',
    key: 'address[0].address',
    found: '"10.77.0.13/24", a member\'s own address',
    accepted: FREE,
  }),
  wrong(
    'one address shared twice',
    [[LAST, `  - { driver: ip, address: 10.77.0.100/16, interface: eth1 }\n${LAST}`]],
    {
      on: 'eth1',
      key: 'address[1].address',
      found: '"10.77.0.100/16", an address that stands here already',
      accepted: FREE,
    },
  ),
  wrong(
    'a proxy to itself',
    [[LAST, `  - { driver: proxy, address: 127.0.0.1:2525, to: 127.0.0.1:2525 }\n${LAST}`]],
    {
      on: 'proxy',
      key: 'address[1].to',
      found: '"127.0.0.1:2525", where the proxy itself listens',
      accepted: 'the place where the service listens',
    },
  ),
  wrong(
    'a proxy at the port of the HTTP interface',
    [[LAST, `  - { driver: proxy, address: 0.0.0.0:7480, to: 127.0.0.1:2525 }\n${LAST}`]],
    {
      on: 'proxy',
      key: 'address[1].address',
      found: '"0.0.0.0:7480", where http.listen listens',
      accepted: 'a port that nothing else listens at',
    },
  ),
  wrong(
    'the HTTP interface at the port of the peers',
    [['127.0.0.1:7480', '10.77.0.11:7400 # http']],
    {
      on: '10.77.0.11:7400 # http',
      key: 'http.listen',
      found: '"10.77.0.11:7400", where peers.listen listens',
      accepted: 'a port that nothing else listens at',
    },
  ),
];

const MACHINE: readonly Wrong[] = [
  wrong('a volume that is missing', [['path: lists', 'path: list']], {
    on: 'name: lists',
    key: 'volumes[1].path',
    found: '"list", which does not exist',
    accepted: 'a folder that exists',
  }),
  wrong('a volume that is a file', [['path: lists', 'path: mailraft.yaml']], {
    on: 'name: lists',
    key: 'volumes[1].path',
    found: '"mailraft.yaml", which is not a folder',
    accepted: 'a folder that exists',
  }),
  wrong('two volumes of one name', [['name: lists', 'name: mail']], {
    on: 'path: lists',
    key: 'volumes[1].name',
    found: '"mail", which is that of volumes[0] too',
    accepted: 'a name that no other volume has',
  }),
  wrong('one folder twice', [['path: lists', 'path: ./mail/../mail/']], {
    on: 'name: lists',
    key: 'volumes[1].path',
    found: '"./mail/../mail/", which is the same folder as volumes[0]',
    accepted: 'a folder apart from all other volumes',
  }),
  wrong(
    'a volume within another behind a symbolic link',
    [['path: lists', 'path: link']],
    {
      on: 'name: lists',
      key: 'volumes[1].path',
      found: '"link", which lies within volumes[0]',
      accepted: 'a folder apart from all other volumes',
    },
    ({ folder }) => {
      mkdirSync(join(folder, 'mail', 'inner'));
      symlinkSync(join(folder, 'mail', 'inner'), join(folder, 'link'));
    },
  ),
  wrong(
    'a volume within the data directory',
    [['path: lists', 'path: data/lists']],
    {
      on: 'name: lists',
      key: 'volumes[1].path',
      found: '"data/lists", which lies within node.dataDir',
      accepted: 'a folder apart from node.dataDir',
    },
    ({ folder }) => mkdirSync(join(folder, 'data', 'lists'), { recursive: true }),
  ),
  wrong('the data directory within a volume', [['dataDir: data', 'dataDir: mail/data']], {
    on: 'name: mail,',
    key: 'volumes[0].path',
    found: '"mail", which contains node.dataDir',
    accepted: 'a folder apart from node.dataDir',
  }),
  wrong('a data directory in a folder that is missing', [['dataDir: data', 'dataDir: a/b']], {
    on: 'dataDir',
    key: 'node.dataDir',
    found: '"FOLDER/a", which does not exist',
    accepted: 'a folder, or a place for one in a folder that exists',
  }),
  wrong('a data directory that is a file', [['dataDir: data', 'dataDir: mailraft.yaml']], {
    on: 'dataDir',
    key: 'node.dataDir',
    found: '"mailraft.yaml", which is not a folder',
    accepted: 'a folder, or a place for one in a folder that exists',
  }),
  wrong('a token in a volume', [['127.0.0.1:7480', '127.0.0.1:7480\n  tokenFile: mail/token']], {
    on: 'tokenFile',
    key: 'http.tokenFile',
    found: '"mail/token", which lies within volumes[0]',
    accepted: 'a file outside of all volumes',
  }),
  wrong(
    'a token in a folder that is missing',
    [['127.0.0.1:7480', '127.0.0.1:7480\n  tokenFile: a/t']],
    {
      on: 'tokenFile',
      key: 'http.tokenFile',
      found: '"FOLDER/a", which does not exist',
      accepted: 'a file, or a place for one in a folder that exists',
    },
  ),
  wrong('a program by a relative path', [['[PROGRAM, --version]', '[node, --version]']], {
    on: 'start',
    key: 'service.start[0]',
    found: '"node", which is no absolute path',
    accepted: 'the absolute path of a program that may be executed',
  }),
  wrong('a program that is missing', [['[PROGRAM, --version]', '[/nowhere/maild]']], {
    on: 'start',
    key: 'service.start[0]',
    found: '"/nowhere/maild", which does not exist',
    accepted: 'the absolute path of a program that may be executed',
  }),
  wrong(
    'a program that may not be executed',
    [['[PROGRAM, --version]', '[FOLDER/maild]']],
    {
      on: 'start',
      key: 'service.start[0]',
      found: '"FOLDER/maild", which may not be executed',
      accepted: 'the absolute path of a program that may be executed',
    },
    ({ folder }) => {
      writeFileSync(join(folder, 'maild'), '');
      chmodSync(join(folder, 'maild'), 0o644);
    },
  ),
  wrong('a command without a program', [['  start: [PROGRAM, --version]\n', '']], {
    on: 'service:',
    key: 'service.start',
    found: 'nothing',
    accepted: 'a list of the program and its arguments, with driver: command',
  }),
  wrong('a program for a driver that runs none', [['driver: command', 'driver: none']], {
    on: 'start',
    key: 'service.start',
    found: 'a program',
    accepted: 'nothing with driver: none',
  }),
];

const TIMING: readonly Wrong[] = [
  wrong(
    'a stop budget that the lease has no room for',
    [['stopBudget: 200ms', 'stopBudget: 700ms']],
    {
      on: 'timing',
      key: 'timing',
      found:
        'renew interval 100ms + network budget 100ms + stop budget 700ms + kill 50ms + margin 50ms = 1s',
      accepted: 'at most 960ms, the lease of 1s less the drift of clocks',
    },
  ),
  wrong(
    'single timings that do not fit',
    [['timing: fast', 'timing: { lease: 2s, networkBudget: 1s, kill: 500ms }']],
    {
      on: 'timing',
      key: 'timing',
      found:
        'renew interval 200ms + network budget 1s + stop budget 200ms + kill 500ms + margin 100ms = 2s',
      accepted: 'at most 1920ms, the lease of 2s less the drift of clocks',
    },
  ),
];

refuses('refused for its members', MEMBERS);
refuses('refused for its network', NETWORK);
refuses('refused on this machine', MACHINE);
refuses('refused for its timing', TIMING);
