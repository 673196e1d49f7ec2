/** A right configuration becomes complete values; what is no configuration file is refused. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { formatFault } from '../../src/config/fault.ts';
import { checkConfig, loadConfig } from '../../src/config/load-config.ts';
import { deriveTimings } from '../../src/config/timings.ts';
import { isMailraftError } from '../../src/errors.ts';
import { nodeConfig, pathsBelow, toYaml } from '../lab/node-config.ts';
import { makeAuthority } from '../support/certificates.ts';
import { type Change, changed, type Place, place, SAMPLE } from './sample.ts';

/** The shortest file that says enough. */
const SHORT = `cluster: example
node: { id: a, dataDir: data }
members: [{ id: a, address: 127.0.0.1:7400 }]
peers: { tls: off }
volumes: [{ name: mail, path: mail }]
`;

t.test('what the file says is taken over in base units and absolute paths', async (t) => {
  const here = place(t);
  const text = changed(
    ['origin: true', 'origin: true, role: voter, priority: 100, site: tokyo'],
    [
      'mail3, address: 10.77.0.13:7400',
      'mail3, address: "[2001:db8::3]:7400", canBePrimary: false',
    ],
    ['127.0.0.1:7480', '127.0.0.1:7481\n  tokenFile: secret/http.token'],
    ['path: mail }', 'path: mail, exclude: ["*.lck", "tmp/"] }'],
    [
      'stopBudget: 200ms',
      'stopBudget: 300ms\n  startDeadline: 20s\n  stopTimeout: 1m\n  restarts: { max: 0, within: 1h }',
    ],
    [
      'timing: fast',
      '  - { driver: proxy, address: 0.0.0.0:2525, to: localhost:2526 }\ntiming: { lease: 4s, networkBudget: 50ms, kill: 60ms, margin: 70ms }\njournal: { maxSize: 2GiB }\nfailback: never\nsalvage: keep\nfence: none\nproduction: false\nprofile: none',
    ],
  );
  mkdirSync(join(here.folder, 'secret'));
  const { config, faults } = here.check(text);
  t.same(faults, []);
  const member = { role: 'voter', priority: 0, site: '', origin: false, canBePrimary: true };
  t.same(config, {
    file: here.file,
    cluster: 'example',
    node: { id: 'mail1', dataDir: join(here.folder, 'data') },
    members: [
      {
        ...member,
        id: 'mail1',
        address: { host: '10.77.0.11', port: 7400 },
        priority: 100,
        site: 'tokyo',
        origin: true,
      },
      { ...member, id: 'mail2', address: { host: '10.77.0.12', port: 7400 } },
      {
        ...member,
        id: 'mail3',
        address: { host: '2001:db8::3', port: 7400 },
        canBePrimary: false,
      },
    ],
    peers: { listen: { host: '10.77.0.11', port: 7400 }, tls: undefined, allowPlaintext: true },
    http: {
      listen: { host: '127.0.0.1', port: 7481 },
      tokenFile: join(here.folder, 'secret/http.token'),
    },
    volumes: [
      { name: 'mail', path: join(here.folder, 'mail'), exclude: ['*.lck', 'tmp/'] },
      { name: 'lists', path: join(here.folder, 'lists'), exclude: [] },
    ],
    service: {
      driver: 'command',
      start: [process.execPath, '--version'],
      startDeadlineMs: 20_000,
      stopTimeoutMs: 60_000,
      restarts: { max: 0, withinMs: 3_600_000 },
      probes: [
        {
          type: 'smtp',
          address: { host: '10.77.0.100', port: 25 },
          everyMs: 500,
          timeoutMs: 1000,
          failures: 3,
        },
      ],
    },
    address: [
      { driver: 'ip', address: '10.77.0.100', prefix: 24, interface: 'eth0' },
      {
        driver: 'proxy',
        listen: { host: '0.0.0.0', port: 2525 },
        to: { host: 'localhost', port: 2526 },
      },
    ],
    timing: deriveTimings({
      leaseMs: 4000,
      stopBudgetMs: 300,
      networkBudgetMs: 50,
      killMs: 60,
      marginMs: 70,
    }),
    journal: { maxSizeBytes: 2 * 1024 ** 3 },
    failback: 'never',
    warnings: ['members talk without encryption, and whoever reaches their ports is believed'],
  });
});

t.test('the file of a witness names no data and no service', async (t) => {
  const here = place(t);
  const { config, faults } = here.check(`cluster: example
node: { id: w, dataDir: data }
members:
  - { id: a, address: 127.0.0.1:7400, origin: true }
  - { id: b, address: 127.0.0.1:7401 }
  - { id: w, address: 127.0.0.1:7402, role: witness }
peers: { tls: off }
`);
  t.same(faults, []);
  t.match(config, { volumes: [], address: [], service: { driver: 'none' } });
  t.match(config?.members.at(-1), { id: 'w', role: 'witness', canBePrimary: false });
  t.same(config?.warnings, []);
});

t.test('what the file does not say has its default', async (t) => {
  const here = place(t);
  const { config } = here.check(SHORT);
  t.same(config, {
    file: here.file,
    cluster: 'example',
    node: { id: 'a', dataDir: join(here.folder, 'data') },
    members: [
      {
        id: 'a',
        address: { host: '127.0.0.1', port: 7400 },
        role: 'voter',
        priority: 0,
        site: '',
        origin: true,
        canBePrimary: true,
      },
    ],
    peers: { listen: { host: '127.0.0.1', port: 7400 }, tls: undefined, allowPlaintext: false },
    http: {
      listen: { host: '127.0.0.1', port: 7480 },
      tokenFile: join(here.folder, 'data/http.token'),
    },
    volumes: [{ name: 'mail', path: join(here.folder, 'mail'), exclude: [] }],
    service: {
      driver: 'none',
      start: [],
      startDeadlineMs: 30_000,
      stopTimeoutMs: 30_000,
      restarts: { max: 2, withinMs: 60_000 },
      probes: [],
    },
    address: [],
    timing: deriveTimings({ leaseMs: 6000, stopBudgetMs: 200 }),
    journal: { maxSizeBytes: 10 * 1024 ** 3 },
    failback: 'manual',
    warnings: [
      'a cluster of one voter fails over to nobody',
      'without an address clients have to find the primary by themselves',
    ],
  });
});

t.test('a probe has its defaults', async (t) => {
  const { config } = place(t).check(changed([', every: 500ms, timeout: 1s, failures: 3', '']));
  const [probe] = config?.service.probes ?? [];
  t.match(probe, { everyMs: 1000, timeoutMs: 1000, failures: 3 });
});

t.test('the presets are leases of one, six and twenty seconds', async (t) => {
  const here = place(t);
  const leaseMs = (preset: string) =>
    here.check(changed(['timing: fast', `timing: ${preset}`])).config?.timing.leaseMs;
  t.same(['fast', 'default', 'patient'].map(leaseMs), [1000, 6000, 20_000]);
});

t.test('a node of the lab is configured right', async (t) => {
  const here = place(t);
  const paths = { ...pathsBelow(here.folder), config: here.file };
  const members = ['n1', 'n2', 'n3'].map((id, index) => ({ id, address: `10.77.0.1${index}` }));
  for (const [index, self] of members.entries()) {
    const timing = index === 0 ? { lease: '2s' } : 'fast';
    const { faults, config } = here.check(toYaml(nodeConfig({ self, members, paths, timing })));
    t.same(faults, []);
    t.equal(config?.node.id, self.id);
  }
});

t.test('a variable of the environment is not put in', async (t) => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it stays as it is written
  const variable = '${HOME}';
  const { config } = place(t).check(changed(['cluster: example', `cluster: ${variable}`]));
  t.equal(config?.cluster, variable);
});

t.test('an alias may repeat a single value', async (t) => {
  const text = changed(['every: 500ms', 'every: &second 1s'], ['timeout: 1s', 'timeout: *second']);
  t.match(place(t).check(text).config?.service.probes, [{ everyMs: 1000, timeoutMs: 1000 }]);
});

t.test('what is no configuration file is refused with its line', async (t) => {
  const YAML = 'one YAML document';
  const FILE = 'a YAML file of at most 1048576 bytes';
  const deep = `a: ${'['.repeat(20_000)}`;
  const cases: readonly [name: string, text: string | Uint8Array, expected: object][] = [
    ['an empty file', '', { line: 1, key: '', found: 'nothing' }],
    ['a list', '- a\n', { line: 1, key: '', found: 'a list of 1' }],
    ['no YAML', 'a: 1\nb: [2\nc: 3\n', { line: 3, key: '', accepted: YAML }],
    ['two documents', 'a: 1\n---\nb: 2\n', { line: 2, key: '', accepted: YAML }],
    ['an unknown tag', 'a: 1\nb: !!js/function x\n', { line: 2, key: '', accepted: YAML }],
    ['endless nesting', deep, { line: 1, key: '', accepted: YAML }],
    [
      'a key twice',
      'a: 1\nnode:\n  id: x\n  id: y\n',
      { line: 4, key: 'id', found: 'the key a second time', accepted: 'each key once' },
    ],
    [
      'an alias of nothing',
      'a: 1\nb: *c\n',
      { line: 2, found: 'the alias "c"', accepted: 'aliases of anchors that stand before them' },
    ],
    [
      'an alias of a list',
      'a: &c [1]\nb: [*c, *c]\n',
      { line: 2, found: 'the alias "c"', accepted: 'aliases of single values' },
    ],
    [
      'an alias of itself',
      'a: &c [*c]\n',
      { line: 1, found: 'the alias "c"', accepted: 'aliases of single values' },
    ],
    [
      'too many aliases',
      `a: &c 1\nb: [${Array(101).fill('*c').join(', ')}]\n`,
      { line: 2, accepted: 'at most 100 aliases' },
    ],
    [
      'a large file',
      `# ${'x'.repeat(1024 * 1024)}\n`,
      { line: 1, found: '1048579 bytes', accepted: FILE },
    ],
    [
      'other bytes',
      new Uint8Array([0x61, 0xff]),
      { line: 1, found: 'text that is not UTF-8', accepted: FILE },
    ],
  ];
  for (const [name, text, expected] of cases) {
    const { file } = place(t);
    writeFileSync(file, text);
    const { config, faults } = checkConfig(file);
    t.equal(config, undefined, name);
    t.ok(faults.length > 0 && faults.length <= 5, `${name}: ${faults.length} faults`);
    t.match(faults[0], { file, ...expected }, name);
  }
});

t.test('a file that can not be read is refused', async (t) => {
  const { folder } = place(t);
  const found = (file: string) => checkConfig(file).faults.map((fault) => fault.found);
  t.same(found(join(folder, 'none.yaml')), ['no such file']);
  t.same(found(folder), ['something else than a file']);
});

t.test('all faults are thrown at once, one a line, with what to do', async (t) => {
  const here = place(t);
  here.write(changed(['every: 500ms', 'evry: 500ms'], ['timing: fast', 'timing: 5']));
  try {
    loadConfig(here.file);
    t.fail('a wrong configuration was loaded');
  } catch (error) {
    t.ok(isMailraftError(error, 'CONFIG_INVALID'));
    t.equal(
      error instanceof Error ? error.message : '',
      [
        `${here.file}:23: service.probes[0].evry: found an unknown key; accepted: the keys type, address, every, timeout, failures; did you mean "every"?`,
        `${here.file}:26: timing: found 5; accepted: fast, default or patient, or a mapping with the keys lease, networkBudget, kill, margin`,
      ].join('\n'),
    );
  }
});

t.test('a fault never brings control characters of the file to the terminal', async (t) => {
  const { faults } = place(t).check(
    changed(['cluster: example', '"\\e[2J": "\\e[2J"\ncluster: "\\e"']),
  );
  const lines = faults.map(formatFault);
  t.equal(lines.length, 2);
  t.ok(lines.every((line) => !line.includes('\u001b')));
});

t.test('a right configuration is loaded', async (t) => {
  const here = place(t);
  here.write(SAMPLE);
  t.equal(loadConfig(here.file).cluster, 'example');
});

t.test('certificates are read before they are needed', async (t) => {
  const authority = await makeAuthority();
  const [own, other] = [await authority.issue('mail1'), await authority.issue('mail2')];
  const check = (files: Readonly<Record<string, string>>, here: Place = place(t)) => {
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(join(here.folder, `${name}.pem`), content);
    }
    const tls = 'tls: { ca: ca.pem, cert: cert.pem, key: key.pem }';
    return here.check(changed(['tls: off', tls], ['  allowPlaintext: true\n', '']));
  };
  const faultsOf = (files: Readonly<Record<string, string>>) =>
    check(files).faults.map(({ line, key, found, accepted }) => ({ line, key, found, accepted }));

  const here = place(t);
  const { config, faults } = check({ ...own }, here);
  t.same(faults, []);
  t.same(config?.warnings, []);
  t.same(config?.peers.tls, {
    ca: join(here.folder, 'ca.pem'),
    cert: join(here.folder, 'cert.pem'),
    key: join(here.folder, 'key.pem'),
  });
  t.match(faultsOf({ ca: own.ca, cert: own.cert }), [
    { line: 11, key: 'peers.tls.key', found: /"key.pem", which can not be read: ENOENT/ },
  ]);
  t.match(faultsOf({ ...own, ca: 'nonsense' }), [
    { line: 11, key: 'peers.tls.ca', accepted: 'a file with a certificate as PEM' },
  ]);
  t.match(faultsOf({ ...own, key: 'nonsense' }), [
    { line: 11, key: 'peers.tls.key', accepted: /private key as PEM, without a pass phrase/ },
  ]);
  t.same(faultsOf({ ...own, key: other.key }), [
    {
      line: 11,
      key: 'peers.tls.key',
      found: '"key.pem", which does not belong to "cert.pem"',
      accepted: 'the key that the certificate was made for',
    },
  ]);
  t.same(faultsOf({ ...other }), [
    {
      line: 11,
      key: 'peers.tls.cert',
      found: '"cert.pem", which is in the name of "mail2"',
      accepted: 'a certificate whose common name is "mail1", the node.id',
    },
  ]);
});

t.test('what is allowed and yet dangerous is warned of', async (t) => {
  const here = place(t);
  const warnings = (...changes: readonly Change[]) =>
    here.check(changed(...changes)).config?.warnings ?? [];
  const one = (from: string, to: string) => warnings([from, to]).slice(1).join('; ');
  t.match(warnings()[0], /without encryption/);
  t.match(one('127.0.0.1:7480', '10.77.0.11:7480'), /http\.listen 10\.77\.0\.11:7480 carries/);
  t.match(one('listen: 10.77.0.11:7400', 'listen: 10.77.0.11:7500'), /10\.77\.0\.11:7500, while/);
  t.match(one('listen: 10.77.0.11:7400', 'listen: 10.1.1.1:7400'), /10\.1\.1\.1:7400, while/);
  t.equal(one('listen: 10.77.0.11:7400', 'listen: 0.0.0.0:7400'), '');
  t.match(one('stopBudget: 200ms', 'stopBudget: 600ms'), /forgive no lost heartbeat/);
  t.match(
    warnings(
      ['12:7400', '12:7400, canBePrimary: false'],
      ['13:7400', '13:7400, canBePrimary: false'],
    )[1],
    /only one member can be primary/,
  );
});
