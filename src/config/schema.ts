/**
 * What a configuration file may say: the one source of its type, of the JSON Schema
 * for editors and of `docs/configuration.md`.
 *
 * Keys and values that only a later version honours stand here too, to be refused by
 * name. Relations between keys are in the `check-*` files.
 */

import { type Static, Type } from '@sinclair/typebox';
import {
  choice,
  count,
  duration,
  endpoint,
  flag,
  laterKey,
  list,
  mapping,
  path,
  size,
  subnet,
  tag,
  text,
  variants,
  withDefault,
  wordOr,
} from './schema-parts.ts';

const MS = 1;
const SECOND = 1000 * MS;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const MIB = 2 ** 20;
const TIB = 2 ** 40;

/** As a DNS label, so that a name can be part of a file name, a metric and a host name. */
const LABEL = {
  pattern: '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$',
  accepted: 'a name of 1 to 63 small letters, digits and inner hyphens',
  max: 63,
};

const LINE = {
  pattern: '^[^\\u0000-\\u001f\\u007f]+$',
  accepted: 'a text of 1 to 64 characters on one line',
  max: 64,
};

const member = mapping('A machine of the cluster.', {
  id: text('Name of the member, the same in the files of all machines.', LABEL),
  address: endpoint('Where the other members reach it.'),
  role: withDefault(
    choice(
      'What it is when the cluster is founded: a `voter` has a vote and all data; a `witness`, of which there is at most one, has a vote and no data, so that two machines with data and any small third one survive the loss of one; a `learner` has all data and no vote. Later `mailraft member` changes it.',
      ['voter', 'witness', 'learner'],
    ),
    'voter',
  ),
  priority: withDefault(
    count(
      'Among members that are ready the one with the highest is handed the place, and it stands for election sooner.',
      {
        min: 0,
        max: 1000,
      },
    ),
    0,
  ),
  site: Type.Optional(
    text('Where it stands. A learner at a site where no voter is counts as `dr`.', LINE),
  ),
  origin: withDefault(
    flag(
      'The cluster starts from the data of this member. Exactly one has it; in a cluster of one it goes without saying.',
    ),
    false,
  ),
  canBePrimary: withDefault(flag('Whether it may ever run the service.'), true),
  rateLimit: laterKey('Most that is sent to it, in bits a second.'),
});

const tls = mapping(
  "Mutual TLS 1.3. The certificate's common name must be the member's id, and the authority signs for this cluster alone.",
  {
    ca: path("The cluster's authority, as PEM."),
    cert: path("This member's certificate, as PEM."),
    key: path('The key that belongs to it, as PEM.'),
  },
);

const peers = mapping('How the members talk to each other.', {
  listen: Type.Optional(
    endpoint("Where this member listens to the others. Default: its own member's address.", true),
  ),
  tls: wordOr(
    '`off` sends mail over the network in the clear, to and from whoever is there: only where every member is on this machine, elsewhere with `allowPlaintext`.',
    choice('No encryption.', ['off']),
    tls,
  ),
  allowPlaintext: withDefault(
    flag('Accepts `tls: off` between machines. For networks that nobody else can enter.'),
    false,
  ),
});

const http = mapping('The HTTP interface: status, metrics, and what the command line asks for.', {
  listen: withDefault(
    endpoint(
      'Where it listens. It is not encrypted: keep it on this machine or behind a proxy.',
      true,
    ),
    '127.0.0.1:7480',
  ),
  tokenFile: Type.Optional(
    path(
      'Holds the token for calls that change something; made when it is missing. Default: `http.token` in the `dataDir`.',
    ),
  ),
});

const volume = mapping('A folder that is replicated.', {
  name: text('The same in the files of all machines.', LABEL),
  path: path('The folder. It must be there, and only the service and mailraft write to it.'),
  exclude: withDefault(
    list(
      'Patterns, as in a .gitignore file, of what is not replicated. The same in the files of all machines.',
      text('A pattern.', {
        pattern: '^[^\\u0000\\n]+$',
        accepted: 'a pattern as in a .gitignore file, such as "*.lck" or "tmp/"',
        max: 1024,
      }),
      { min: 0, max: 256 },
    ),
    [],
  ),
});

const probe = mapping('A question that the service must answer to be called up.', {
  type: choice(
    'How it is asked: `tcp` connects, `smtp` also waits for the greeting.',
    ['tcp', 'smtp'],
    ['imap', 'pop3', 'http', 'command'],
  ),
  address: endpoint('Where it is asked; best the shared address that clients use.'),
  every: withDefault(duration('Pause between questions.', { min: 100, max: HOUR }), '1s'),
  timeout: withDefault(duration('No answer by then is a failure.', { min: 50, max: MINUTE }), '1s'),
  failures: withDefault(
    count('So many failures in a row mean that the service is down.', { min: 1, max: 100 }),
    3,
  ),
});

const restarts = mapping('How often the service is started anew before another member gets it.', {
  max: withDefault(count('Restarts.', { min: 0, max: 100 }), 2),
  within: withDefault(
    duration('Counted within this time.', { min: SECOND, max: 24 * HOUR }),
    '60s',
  ),
});

const service = mapping('What the primary runs.', {
  driver: choice(
    '`command` runs and supervises a program; `none` runs nothing, only the data and the address move.',
    ['command', 'none'],
    ['systemd', 'ocf', 'windows'],
  ),
  start: Type.Optional(
    list(
      'The program, by its absolute path, and its arguments; with `driver: command`. It must stay in the foreground.',
      text('The program or an argument.', {
        pattern: '^[^\\u0000]*$',
        accepted: 'a text of 1 to 4096 characters',
        max: 4096,
      }),
      { min: 1, max: 256 },
    ),
  ),
  startDeadline: withDefault(
    duration('Elected but not serving by then: another member gets the place.', {
      min: SECOND,
      max: HOUR,
    }),
    '30s',
  ),
  stopTimeout: withDefault(
    duration('As long as a clean stop may take when the move is planned; then it is killed.', {
      min: 100,
      max: HOUR,
    }),
    '30s',
  ),
  stopBudget: withDefault(
    duration(
      'As long as a stop may take when the right to serve is running out; then it is killed. A part of the lease.',
      { min: 10, max: 5 * MINUTE },
    ),
    '200ms',
  ),
  restarts: withDefault(restarts, {}),
  probes: withDefault(
    list('All must be answered. Without any, a service that runs is up.', probe, {
      min: 0,
      max: 16,
    }),
    [],
  ),
  onOperatorStop: laterKey('What follows when a person stops the service at the machine.'),
});

const ipAddress = mapping('An address of the network, held by the primary.', {
  driver: tag('ip'),
  address: subnet('The shared address with the prefix of its subnet.'),
  interface: text('The network interface that carries it.', {
    pattern: '^(?!\\.{1,2}$)[^\\s/:\\u0000]+$',
    accepted: 'the name of a network interface, 1 to 15 characters, such as eth0',
    max: 15,
  }),
});

const proxyAddress = mapping(
  'A listener on the primary that hands connections on; needs no root.',
  {
    driver: tag('proxy'),
    address: endpoint('Where it listens while this member is primary.', true),
    to: endpoint('Where the service on this machine listens.'),
  },
);

const timing = mapping('Single timings.', {
  lease: duration(
    'How long a primary may serve without word from a majority. Shorter fails over sooner, longer forgives longer pauses of machines and network.',
    { min: 200, max: 10 * MINUTE },
  ),
  networkBudget: Type.Optional(
    duration('As long as a question and its answer may take. Default: a tenth of the lease.', {
      min: 1,
      max: MINUTE,
    }),
  ),
  kill: Type.Optional(
    duration(
      'From killing the service until it is gone. Default: a twentieth of the lease, from 50ms to 500ms.',
      { min: 20, max: MINUTE },
    ),
  ),
  margin: Type.Optional(
    duration('For timers that fire late. Default: a twentieth of the lease, from 50ms to 500ms.', {
      min: 20,
      max: MINUTE,
    }),
  ),
});

const schema = mapping('The configuration of one member of a mailraft cluster.', {
  cluster: text('Name of the cluster; members of others are refused.', LINE),
  node: mapping('This machine.', {
    id: text('Which of the `members` it is.', LABEL),
    dataDir: path('Folder for the journal and everything else of mailraft; made when missing.'),
  }),
  members: list(
    'The machines that the cluster is founded with, the same in the files of all; a node that is added later lists itself as well. Once founded, the cluster knows its members by itself: see `mailraft member`.',
    member,
    {
      min: 1,
      max: 64,
    },
  ),
  peers,
  http: withDefault(http, {}),
  volumes: withDefault(
    list(
      'What is replicated, the same in the files of all machines: at least one; the file of a witness has none.',
      volume,
      { min: 0, max: 64 },
    ),
    [],
  ),
  service: withDefault(service, { driver: 'none' }),
  services: laterKey('Several services, started in order and stopped in reverse.'),
  address: withDefault(
    list(
      'How clients find the primary.',
      variants('A shared address.', 'driver', {
        branches: [ipAddress, proxyAddress],
        later: ['dns', 'windows', 'command'],
      }),
      { min: 0, max: 16 },
    ),
    [],
  ),
  timing: withDefault(
    wordOr(
      'How fast a failure is noticed: `fast` (a lease of 1s, for machines side by side), `default` (6s), `patient` (20s, for virtual machines with snapshots and far sites), or single timings.',
      choice('A preset.', ['fast', 'default', 'patient']),
      timing,
    ),
    'default',
  ),
  commit: laterKey('How many copies a barrier asks for.'),
  journal: withDefault(
    mapping('The journal of changes.', {
      maxSize: withDefault(
        size('It never grows beyond this; a member further behind compares whole trees.', {
          min: 64 * MIB,
          max: 64 * TIB,
        }),
        '10GiB',
      ),
      keep: laterKey('How long changes are kept at least.'),
    }),
    {},
  ),
  failback: withDefault(
    choice(
      'Whether the service returns by itself to a member of higher `priority`: with `manual` and `never` it stays where it is until a person or a failure moves it.',
      ['never', 'manual'],
      ['auto'],
    ),
    'manual',
  ),
  salvage: withDefault(
    choice(
      'What becomes of changes that were never committed: `keep` puts them aside.',
      ['keep'],
      ['restore-new'],
    ),
    'keep',
  ),
  hooks: laterKey('Programs to run when the service moves.'),
  fence: withDefault(choice('Who switches a machine off.', ['none'], ['agent']), 'none'),
  production: withDefault(
    choice('Whether a tested protection level is demanded.', [false], ['true']),
    false,
  ),
  profile: withDefault(
    choice(
      'Settings made for one mail server.',
      ['none'],
      ['mdaemon', 'postfix-dovecot', 'maildir'],
    ),
    'none',
  ),
});

export const ConfigSchema: typeof schema = schema;

/** A file that the schema accepts, with its defaults in place. */
export type RawConfig = Static<typeof schema>;
