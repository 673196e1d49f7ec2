/** A checked configuration is told to people and to programs. */

import t from 'tap';
import { configReport, describeConfig } from '../../src/config/describe.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { changed, place, SAMPLE } from './sample.ts';

t.test('a person reads what the configuration means', async (t) => {
  const here = place(t);
  const text = changed(
    ['origin: true', 'origin: true, priority: 9, site: tokyo'],
    ['13:7400', '13:7400, canBePrimary: false'],
    ['path: lists', 'path: lists, exclude: ["*.lck", "tmp/"]'],
    ['timing: fast', '  - { driver: proxy, address: "[::]:2525", to: "[::1]:2526" }\ntiming: fast'],
  );
  here.write(text);
  const config = loadConfig(here.file);
  t.same(
    describeConfig(config).map((line) => line.replaceAll(here.folder, 'FOLDER')),
    [
      'cluster example, member mail1, data in FOLDER/data',
      'members',
      '  mail1: 10.77.0.11:7400, voter, priority 9, tokyo, origin, this machine',
      '  mail2: 10.77.0.12:7400, voter, priority 0',
      '  mail3: 10.77.0.13:7400, voter, priority 0, never primary',
      'network',
      '  peers: listens at 10.77.0.11:7400',
      '  http: listens at 127.0.0.1:7480, token in FOLDER/data/http.token',
      '  not encrypted: everything between members',
      '  not encrypted: http at 127.0.0.1:7480',
      'volumes',
      '  mail: FOLDER/mail',
      '  lists: FOLDER/lists, without *.lck tmp/',
      'service',
      `  command ${process.execPath} --version`,
      '  serves within 30s, stops within 30s',
      '  at most 2 restarts within 1m',
      '  probe smtp 10.77.0.100:25 every 500ms, timeout 1s, fails after 3',
      'address',
      '  10.77.0.100/24 on eth0',
      '  proxy [::]:2525 to [::1]:2526',
      'timing',
      '  lease 1s, renewed every 100ms, tick 25ms',
      '  renew interval 100ms + network budget 100ms + stop budget 200ms + kill 50ms + margin 50ms = 500ms, at most 960ms',
      '  silence of up to 260ms moves nothing',
      '  worst-case takeover 2164ms from the loss of the primary until its successor starts the service',
      'journal',
      '  at most 10GiB',
      'failback',
      '  manual',
      'warnings',
      '  members talk without encryption, and whoever reaches their ports is believed',
    ],
  );
});

t.test('a program reads the same as plain data', async (t) => {
  const checked = place(t).check(SAMPLE);
  const report = configReport(checked);
  t.same(
    JSON.parse(JSON.stringify(report)),
    JSON.parse(
      JSON.stringify({
        valid: true,
        config: checked.config,
        timingSum: {
          terms: [
            { name: 'renew interval', ms: 100 },
            { name: 'network budget', ms: 100 },
            { name: 'stop budget', ms: 200 },
            { name: 'kill', ms: 50 },
            { name: 'margin', ms: 50 },
          ],
          sumMs: 500,
          limitMs: 960,
        },
        plaintext: ['everything between members', 'http at 127.0.0.1:7480'],
      }),
    ),
  );
});

t.test('a program reads the faults of a wrong configuration', async (t) => {
  const here = place(t);
  const report = configReport(here.check(changed(['timing: fast', 'timing: quick'])));
  t.match(report, {
    valid: false,
    faults: [{ file: here.file, line: 26, key: 'timing', found: '"quick"' }],
  });
});
