/** How the observer judges what it hears and sees, without a network: by the letter of its rules. */

import t from 'tap';
import { AddressWatch, TAGS } from './observer/address-watch.ts';
import { formatMac, parseIp, parseMac } from './observer/arp-frame.ts';
import { FrozenGroups } from './observer/frozen-groups.ts';
import { GapMeter } from './observer/gap-meter.ts';
import { isService, parseState } from './observer/process-line.ts';
import type { ObserverEvent } from './observer/report.ts';
import { provenTogether, ServiceWatch } from './observer/service-watch.ts';
import { ViolationLog } from './observer/violations.ts';

const [A, B] = [parseMac('02:00:00:00:00:0a'), parseMac('02:00:00:00:00:0b')];
const ignore = () => undefined;

/** Asks once and lets these answer at once. */
function ask(watch: AddressWatch, atMs: number, ...answers: [number, string][]): number {
  const tag = watch.nextTag;
  watch.requested(atMs);
  for (const [mac, machine] of answers) watch.answered({ atMs: atMs + 1, mac, machine }, tag);
  return tag;
}

t.test('two that answer the same request are two holders', async (t) => {
  const watch = new AddressWatch(ignore);
  ask(watch, 10, [A, 'n1'], [A, 'n1']);
  t.equal(watch.doubles.samples, 0, 'the same one twice is one');
  ask(watch, 20, [A, 'n1'], [B, 'n2'], [B, 'n2']);
  t.equal(watch.doubles.samples, 1, 'counted by request');
  t.match(watch.doubles.violations, [{ fromMs: 20, samples: 1, who: ['n1', 'n2'] }]);
});

t.test('the same hardware address at two ports is two holders', async (t) => {
  const watch = new AddressWatch(ignore);
  ask(watch, 10, [A, 'n1'], [A, 'n2']);
  t.equal(watch.doubles.samples, 1);
});

t.test('one after the other is no double, however close', async (t) => {
  const watch = new AddressWatch(ignore);
  ask(watch, 10, [A, 'n1']);
  ask(watch, 20, [B, 'n2']);
  t.equal(watch.doubles.samples, 0);
  t.match(watch.holders, [
    { machine: 'n1', fromMs: 10, toMs: 11, answers: 1 },
    { machine: 'n2', fromMs: 20, toMs: 21, answers: 1 },
  ]);
});

t.test('a late answer belongs to the request that it answers', async (t) => {
  const watch = new AddressWatch(ignore);
  const tag = watch.nextTag;
  watch.requested(10);
  ask(watch, 20, [B, 'n2']);
  watch.answered({ atMs: 25, mac: A, machine: 'n1' }, tag);
  t.equal(watch.doubles.samples, 0, 'n2 did not answer that one');
  const late = ask(watch, 30, [B, 'n2']);
  ask(watch, 40, [B, 'n2']);
  watch.answered({ atMs: 45, mac: A, machine: 'n1' }, late);
  t.match(watch.doubles.violations, [{ fromMs: 30, who: ['n2', 'n1'] }]);
});

t.test('a tag that comes round again forgets who answered before', async (t) => {
  const watch = new AddressWatch(ignore);
  ask(watch, 0, [A, 'n1']);
  for (let turn = 1; turn < TAGS; turn += 1) ask(watch, turn * 10);
  t.equal(watch.nextTag, 0);
  ask(watch, 1_000, [B, 'n2']);
  t.equal(watch.doubles.samples, 0);
});

t.test('an answer to a request that was never sent is not counted', async (t) => {
  const watch = new AddressWatch(ignore);
  watch.answered({ atMs: 5, mac: A, machine: 'n1' }, 3);
  t.same(watch.holders, []);
});

t.test('a holder ends when it leaves requests unanswered, not at the first', async (t) => {
  const events: ObserverEvent[] = [];
  const watch = new AddressWatch((event) => events.push(event));
  ask(watch, 10, [A, 'n1']);
  for (const atMs of [20, 30, 40]) ask(watch, atMs);
  ask(watch, 50, [A, 'n1']);
  t.equal(watch.holders.length, 1, 'one interval');
  for (const atMs of [60, 70, 80, 90]) ask(watch, atMs);
  t.equal(events.length, 1, 'the fourth may yet be answered');
  ask(watch, 100, [A, 'n1']);
  t.match(events[1], { event: 'holder', holds: false, machine: 'n1', atMs: 51 });
  t.equal(watch.holders.length, 2);
});

t.test('two services are proven by one that stayed while the other was seen', async (t) => {
  const none = undefined;
  t.same(provenTogether(['a', 'b'], ['a', 'b']), [0, 1]);
  t.same(provenTogether(['a', 'b'], ['a', none]), [0, 1], 'the first stayed');
  t.same(provenTogether(['a', 'b'], ['c', 'b']), [0, 1], 'the second stayed');
  t.same(provenTogether(['a', 'b'], [none, 'b']), [], 'the first may have ended before');
  t.same(provenTogether(['a', 'b'], ['c', 'd']), [], 'nobody stayed');
  t.same(provenTogether([none, 'b'], ['c', 'b']), [0, 1], 'the first began while the second ran');
  t.same(provenTogether(['a', none], ['a', none]), [], 'one alone');
  t.same(provenTogether(['a', none, 'c'], ['a', none, 'c']), [0, 2]);
});

t.test('a service is an interval of samples, and its ends are events', async (t) => {
  const events: ObserverEvent[] = [];
  const watch = new ServiceWatch((event) => events.push(event));
  watch.saw('n1', false, 5);
  watch.saw('n1', true, 10);
  watch.saw('n1', true, 20);
  watch.saw('n1', false, 30);
  watch.saw('n2', true, 40);
  t.same(watch.services, [
    { machine: 'n1', fromMs: 10, toMs: 20, samples: 2 },
    { machine: 'n2', fromMs: 40, toMs: 40, samples: 1 },
  ]);
  t.match(events, [
    { machine: 'n1', runs: true, atMs: 10 },
    { machine: 'n1', runs: false, atMs: 30 },
    { machine: 'n2', runs: true, atMs: 40 },
  ]);
});

t.test('bad samples close together are one episode, and all are counted', async (t) => {
  const events: ObserverEvent[] = [];
  const log = new ViolationLog('doubleService', (event) => events.push(event));
  log.add(100, ['n1', 'n2']);
  log.add(110, ['n2', 'n3']);
  log.add(1_000, ['n1', 'n2']);
  t.equal(log.samples, 3);
  t.match(log.violations, [
    { fromMs: 100, toMs: 110, samples: 2, who: ['n1', 'n2', 'n3'] },
    { fromMs: 1_000, toMs: 1_000, samples: 1 },
  ]);
  t.equal(events.length, 2);
});

t.test('a gap lasts until the next mark, or until the end', async (t) => {
  const meter = new GapMeter();
  meter.close(500);
  t.equal(meter.longestMs, 0, 'nothing began');
  for (const atMs of [1_000, 1_010, 1_050]) meter.mark(atMs);
  t.equal(meter.longestMs, 40);
  meter.close(1_250);
  t.equal(meter.longestMs, 200, 'blind at the end is blind too');
  t.equal(meter.marks, 3);
});

t.test('the service is told by its program or its script, not by who starts it', async (t) => {
  const cases: [string[], boolean][] = [
    [['/opt/mail/server.js', '--store', 'x'], true],
    [['node', '--enable-source-maps', '/opt/mail/server.js', '--store', 'x'], true],
    [['unshare', '--pid', '--fork', '/opt/mail/server.js'], false],
    [['/usr/bin/unshare', '--pid', '--fork', 'node', '/opt/mail/server.js'], false],
    [['node', 'guardian/main.js', '--', 'node', '/opt/mail/server.js'], false],
    [['sh', '-c', 'sleep 1', '/opt/mail/server.js'], false],
    [['node', '/opt/other/main.js'], false],
    [[], false],
  ];
  const markers = [Buffer.from('mail/server.js')];
  for (const [argv, expected] of cases) {
    const line = Buffer.alloc(4_096);
    const length = line.write(argv.map((argument) => `${argument}\0`).join(''));
    t.equal(isService(line, length, markers), expected, argv.join(' '));
  }
  const leftover = Buffer.from('sleep\0mail/server.js\0');
  t.notOk(isService(leftover, 6, markers), 'what an earlier read left behind does not count');
});

t.test('stopped, traced, dead and zombie processes do not run', async (t) => {
  const line = (state: string, threads = 1) =>
    `77 (a) b (c)) ${state} 1 77 77 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 ${threads} 0 4242 9 9\n`;
  const parse = (text: string) => parseState(Buffer.from(text), text.length);
  for (const state of ['R', 'S', 'D', 'I']) t.match(parse(line(state)), { runs: true }, state);
  for (const state of ['Z', 'X', 'T', 't']) t.match(parse(line(state)), { runs: false }, state);
  t.match(parse(line('Z', 5)), { runs: true }, 'its other threads live on');
  t.equal(parse(line('S'))?.startedAt, '4242');
  t.equal(parse(''), undefined, 'gone while it was read');
});

t.test('the freezer of either version tells by a file of the group', async (t) => {
  const unified = '30 23 0:27 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate';
  t.same(new FrozenGroups(unified).signsOf('0::/a/b\n'), [
    { file: '/sys/fs/cgroup/a/b/cgroup.events', text: Buffer.from('frozen 1') },
  ]);
  const legacy = '31 23 0:28 /box /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer';
  const groups = new FrozenGroups(legacy);
  const sign = { text: Buffer.from('FROZEN') };
  t.match(groups.signsOf('6:freezer:/box/a\n4:memory:/m\n'), [
    { file: '/sys/fs/cgroup/freezer/a/freezer.state', ...sign },
  ]);
  t.match(groups.signsOf('6:freezer:/\n'), [
    { file: '/sys/fs/cgroup/freezer/freezer.state', ...sign },
  ]);
  t.same(new FrozenGroups('').signsOf('0::/a\n'), [], 'no hierarchy, nothing frozen');
});

t.test('addresses are read and written as people write them', async (t) => {
  t.equal(formatMac(parseMac('02:4d:52:00:00:fe')), '02:4d:52:00:00:fe');
  t.equal(parseIp('10.77.0.100'), 0x0a4d0064);
  for (const wrong of ['10.77.0', '10.77.0.256', 'n1']) t.throws(() => parseIp(wrong), wrong);
  t.throws(() => parseMac('02:4d:52'));
});
