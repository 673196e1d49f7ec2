/**
 * What the schema does not know is refused, and what only a later version honours is
 * called that: each fault with its line, its key, what was found and what is accepted.
 */

import { SAMPLE } from './sample.ts';
import { refuses, type Wrong, wrong } from './wrong.ts';

const LABEL = 'a name of 1 to 63 small letters, digits and inner hyphens';
const DURATION = (range: string) => `a duration from ${range} with its unit (ms, s, m or h)`;
const ENDPOINT = 'HOST:PORT or [IPV6]:PORT, with a port from 1 to 65535';
const REACHABLE = 'HOST:PORT or [IPV6]:PORT of one machine, with a port from 1 to 65535';
const SUBNET = 'an IPv4 address with the prefix of its subnet, such as 10.77.0.100/24';
const LEAVE_OUT = 'nothing here; leave it out';
const SECOND = '  - { id: mail2, address: 10.77.0.12:7400 }';
const LAST = 'timing: fast\n';

const SHAPES: readonly Wrong[] = [
  wrong('a missing key', [['cluster: example\n', '']], {
    on: 'node:',
    key: 'cluster',
    found: 'nothing',
    accepted: 'a text of 1 to 64 characters on one line',
  }),
  wrong('an empty value', [['cluster: example', 'cluster:']], {
    on: 'cluster:',
    key: 'cluster',
    found: 'nothing',
    accepted: 'a text of 1 to 64 characters on one line',
  }),
  wrong('a cluster name that is too long', [['example', 'x'.repeat(65)]], {
    on: 'cluster:',
    key: 'cluster',
    found: `"${'x'.repeat(65)}"`,
    accepted: 'a text of 1 to 64 characters on one line',
  }),
  wrong('a mistyped key', [['  tls: off', '  tls: off\n  lisen: 10.0.0.1:7400']], {
    on: '  lisen',
    key: 'peers.lisen',
    found: 'an unknown key',
    accepted: 'the keys listen, tls, allowPlaintext',
  }),
  wrong('a key like a member of every object', [[LAST, `${LAST}__proto__: { x: 1 }\n`]], {
    on: '__proto__',
    key: '__proto__',
    found: 'an unknown key',
    accepted:
      'the keys cluster, node, members, peers, http, volumes, service, address, timing, journal, failback, salvage, fence, production, profile',
  }),
  wrong('a node id that is no label', [['id: mail1\n', 'id: Mail_1\n']], {
    on: 'id: Mail_1',
    key: 'node.id',
    found: '"Mail_1"',
    accepted: LABEL,
  }),
  wrong('a number where a list belongs', [['start: [PROGRAM, --version]', 'start: 5']], {
    on: 'start:',
    key: 'service.start',
    found: '5',
    accepted: 'a list of 1 to 256',
  }),
  wrong(
    'an empty list of members',
    [[SAMPLE.slice(SAMPLE.indexOf('  - {'), SAMPLE.indexOf('peers:')), '  []\n']],
    {
      on: 'members:',
      key: 'members',
      found: 'a list of 0',
      accepted: 'a list of 1 to 64',
    },
  ),
  wrong('a duration without a unit', [['stopBudget: 200ms', 'stopBudget: 200']], {
    on: 'stopBudget',
    key: 'service.stopBudget',
    found: '200',
    accepted: DURATION('10ms to 5m'),
  }),
  wrong('a duration with a unit that is none', [['every: 500ms', 'every: 5sec']], {
    on: 'every',
    key: 'service.probes[0].every',
    found: '"5sec"',
    accepted: DURATION('100ms to 1h'),
  }),
  wrong('a duration out of range', [['timeout: 1s', 'timeout: 2h']], {
    on: 'timeout',
    key: 'service.probes[0].timeout',
    found: '"2h"',
    accepted: DURATION('50ms to 1m'),
  }),
  wrong('a size in units of a thousand', [[LAST, `${LAST}journal: { maxSize: 10GB }\n`]], {
    on: 'journal',
    key: 'journal.maxSize',
    found: '"10GB"',
    accepted: 'a size from 64MiB to 64TiB with its unit (KiB, MiB, GiB or TiB)',
  }),
  wrong('a journal that is too small', [[LAST, `${LAST}journal: { maxSize: 63MiB }\n`]], {
    on: 'journal',
    key: 'journal.maxSize',
    found: '"63MiB"',
    accepted: 'a size from 64MiB to 64TiB with its unit (KiB, MiB, GiB or TiB)',
  }),
  wrong('an address without a port', [['10.77.0.12:7400', '10.77.0.12']], {
    on: 'mail2',
    key: 'members[1].address',
    found: '"10.77.0.12"',
    accepted: REACHABLE,
  }),
  wrong('a member that is reached everywhere', [['10.77.0.12:7400', '0.0.0.0:7400']], {
    on: 'mail2',
    key: 'members[1].address',
    found: '"0.0.0.0:7400"',
    accepted: REACHABLE,
  }),
  wrong('port 0', [['127.0.0.1:7480', '127.0.0.1:0']], {
    on: '127.0.0.1',
    key: 'http.listen',
    found: '"127.0.0.1:0"',
    accepted: ENDPOINT,
  }),
  wrong('a priority out of range', [['origin: true', 'origin: true, priority: 1001']], {
    on: 'mail1, address',
    key: 'members[0].priority',
    found: '1001',
    accepted: 'a whole number from 0 to 1000',
  }),
  wrong('a probe without an address', [['address: 10.77.0.100:25, ', '']], {
    on: 'smtp',
    key: 'service.probes[0].address',
    found: 'nothing',
    accepted: REACHABLE,
  }),
  wrong('an address without a driver', [['driver: ip, ', '']], {
    on: 'eth0',
    key: 'address[0].driver',
    found: 'nothing',
    accepted: 'ip or proxy',
  }),
  wrong('an address of a driver that nobody knows', [['driver: ip', 'driver: vrrp']], {
    on: 'eth0',
    key: 'address[0].driver',
    found: '"vrrp"',
    accepted: 'ip or proxy',
  }),
  wrong('a shared address without a prefix', [['10.77.0.100/24', '10.77.0.100']], {
    on: 'eth0',
    key: 'address[0].address',
    found: '"10.77.0.100"',
    accepted: SUBNET,
  }),
  wrong('a prefix that is too long', [['10.77.0.100/24', '10.77.0.100/33']], {
    on: 'eth0',
    key: 'address[0].address',
    found: '"10.77.0.100/33"',
    accepted: SUBNET,
  }),
  wrong('an interface name that is too long', [['eth0', 'enx0123456789abcdef']], {
    on: 'driver: ip',
    key: 'address[0].interface',
    found: '"enx0123456789abcdef"',
    accepted: 'the name of a network interface, 1 to 15 characters, such as eth0',
  }),
  wrong('an empty interface name', [['eth0', '""']], {
    on: 'driver: ip',
    key: 'address[0].interface',
    found: '""',
    accepted: 'the name of a network interface, 1 to 15 characters, such as eth0',
  }),
  wrong('an unknown preset', [['timing: fast', 'timing: quick']], {
    on: 'timing',
    key: 'timing',
    found: '"quick"',
    accepted:
      'fast, default or patient, or a mapping with the keys lease, networkBudget, kill, margin',
  }),
  wrong('timings without a lease', [['timing: fast', 'timing: { kill: 50ms }']], {
    on: 'timing',
    key: 'timing.lease',
    found: 'nothing',
    accepted: DURATION('200ms to 10m'),
  }),
  wrong('no word about encryption', [['  tls: off\n', '']], {
    on: 'peers:',
    key: 'peers.tls',
    found: 'nothing',
    accepted: 'off, or a mapping with the keys ca, cert, key',
  }),
  wrong('encryption with a part missing', [['tls: off', 'tls: { ca: ca.pem, cert: a.pem }']], {
    on: 'tls:',
    key: 'peers.tls.key',
    found: 'nothing',
    accepted: 'a path, relative to the folder of this file or absolute',
  }),
];

const LATER: readonly Wrong[] = [
  ...(
    [
      ['service.driver', 'driver: command', 'driver: systemd', '"systemd"', 'command or none'],
      ['service.driver', 'driver: command', 'driver: ocf', '"ocf"', 'command or none'],
      ['service.driver', 'driver: command', 'driver: windows', '"windows"', 'command or none'],
      ['service.probes[0].type', 'type: smtp', 'type: imap', '"imap"', 'tcp or smtp'],
      ['service.probes[0].type', 'type: smtp', 'type: pop3', '"pop3"', 'tcp or smtp'],
      ['service.probes[0].type', 'type: smtp', 'type: http', '"http"', 'tcp or smtp'],
      ['service.probes[0].type', 'type: smtp', 'type: command', '"command"', 'tcp or smtp'],
      ['address[0].driver', '{ driver: ip,', '{ driver: dns,', '"dns"', 'ip or proxy'],
      ['address[0].driver', '{ driver: ip,', '{ driver: windows,', '"windows"', 'ip or proxy'],
      ['address[0].driver', '{ driver: ip,', '{ driver: command,', '"command"', 'ip or proxy'],
      [
        'failback',
        LAST,
        `${LAST}failback: { auto: {} }\n`,
        'a mapping with auto',
        'never or manual',
      ],
      ['salvage', LAST, `${LAST}salvage: restore-new\n`, '"restore-new"', 'keep'],
      ['fence', LAST, `${LAST}fence: { agent: x }\n`, 'a mapping with agent', 'none'],
      ['production', LAST, `${LAST}production: true\n`, 'true', 'false'],
      ['profile', LAST, `${LAST}profile: mdaemon\n`, '"mdaemon"', 'none'],
      ['profile', LAST, `${LAST}profile: postfix-dovecot\n`, '"postfix-dovecot"', 'none'],
      ['profile', LAST, `${LAST}profile: maildir\n`, '"maildir"', 'none'],
    ] as const
  ).map(([key, from, to, found, accepted]) =>
    wrong(`${key} with ${found}`, [[from, to]], {
      on: to.trim().split('\n').at(-1) ?? to,
      key,
      found: `${found}, which is not in this version`,
      accepted,
    }),
  ),
  ...(
    [
      ['members[1].rateLimit', SECOND, SECOND.replace(' }', ', rateLimit: 20Mbit/s }')],
      ['service.onOperatorStop', 'driver: command', 'driver: command\n  onOperatorStop: pause'],
      ['services', LAST, `${LAST}services: []\n`],
      ['commit', LAST, `${LAST}commit: { minCopies: 2 }\n`],
      ['journal.keep', LAST, `${LAST}journal: { keep: 24h }\n`],
      ['hooks', LAST, `${LAST}hooks: { afterStart: [] }\n`],
    ] as const
  ).map(([key, from, to]) =>
    wrong(`the key ${key}`, [[from, to]], {
      on: to.trim().split('\n').at(-1) ?? to,
      key,
      found: 'a key that is not in this version',
      accepted: LEAVE_OUT,
    }),
  ),
];

refuses('refused for what it says', SHAPES);
refuses('refused in this version', LATER);
