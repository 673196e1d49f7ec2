/** What does not fit a witness, and what only the others have, is refused. */

import { refuses, type Wrong, wrong } from './wrong.ts';

const VOTERS = 'an odd number of voters, 1, 3, 5 or 7';
const SECOND = '  - { id: mail2, address: 10.77.0.12:7400 }';
const THIRD = '  - { id: mail3, address: 10.77.0.13:7400 }\n';
const VOLUMES = 'volumes:\n  - { name: mail, path: mail }\n  - { name: lists, path: lists }\n';
const PROBES =
  '    - { type: smtp, address: 10.77.0.100:25, every: 500ms, timeout: 1s, failures: 3 }\n';
const SERVICE = `service:\n  driver: command\n  start: [PROGRAM, --version]\n  stopBudget: 200ms\n  probes:\n${PROBES}`;
const IP = '{ driver: ip, address: 10.77.0.100/24, interface: eth0 }';
const ADDRESS = `address:\n  - ${IP}\n`;
const NO_DATA = 'nothing in the file of a witness, which has no data and runs no service';
const WITNESS = SECOND.replace(' }', ', role: witness }');

const WITNESSES: readonly Wrong[] = [
  wrong(
    'two witnesses',
    [
      [SECOND, WITNESS],
      [THIRD, THIRD.replace(' }', ', role: witness }')],
    ],
    {
      on: 'mail3',
      key: 'members[2].role',
      found: 'witness, as in members[1]',
      accepted: 'voter; one member at most is a witness',
    },
  ),
  wrong(
    'a witness whose data the cluster should start from',
    [
      [', origin: true', ''],
      [SECOND, SECOND.replace(' }', ', role: witness, origin: true }')],
    ],
    {
      on: 'mail2',
      key: 'members[1].origin',
      found: 'true',
      accepted: 'false for a witness, which has no data',
    },
  ),
  wrong(
    'a witness with a priority',
    [[SECOND, SECOND.replace(' }', ', role: witness, priority: 7 }')]],
    {
      on: 'mail2',
      key: 'members[1].priority',
      found: '7',
      accepted: 'nothing for a witness, which is never primary',
    },
  ),
  wrong(
    'an even number of votes, one of them the witness',
    [
      [SECOND, WITNESS],
      [THIRD, `${THIRD}  - { id: mail4, address: 10.77.0.14:7400 }\n`],
    ],
    { on: 'members:', key: 'members', found: '4 voters', accepted: VOTERS },
  ),
  wrong(
    'volumes in the file of a witness',
    [
      [SECOND, WITNESS],
      ['id: mail1\n', 'id: mail2\n'],
      [SERVICE, ''],
      [ADDRESS, ''],
    ],
    {
      on: 'volumes:',
      key: 'volumes',
      found: 'something at the witness "mail2"',
      accepted: NO_DATA,
    },
  ),
  wrong(
    'a service in the file of a witness',
    [
      [SECOND, WITNESS],
      ['id: mail1\n', 'id: mail2\n'],
      [VOLUMES, ''],
      [ADDRESS, ''],
    ],
    {
      on: 'service:',
      key: 'service',
      found: 'something at the witness "mail2"',
      accepted: NO_DATA,
    },
  ),
  wrong(
    'an address in the file of a witness',
    [
      [SECOND, WITNESS],
      ['id: mail1\n', 'id: mail2\n'],
      [VOLUMES, ''],
      [SERVICE, ''],
      [ADDRESS, `address: [${IP}]\n`],
    ],
    {
      on: 'address: [{',
      key: 'address',
      found: 'something at the witness "mail2"',
      accepted: NO_DATA,
    },
  ),
  wrong('a member with data and without volumes', [[VOLUMES, 'volumes: []\n']], {
    on: 'volumes:',
    key: 'volumes',
    found: 'nothing',
    accepted: 'a list of 1 to 64',
  }),
];

refuses('what a witness is not, and has not', WITNESSES);
