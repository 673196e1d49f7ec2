/** The bytes of ARP and the arithmetic of addresses and lifetimes. */

import t from 'tap';
import { announcementFrames, probeFrame, senderOf } from '../../src/service/address/arp-frame.ts';
import { lifetimeSeconds, parseIpv4, sharesSubnet } from '../../src/service/address/ipv4.ts';

const IP = Buffer.from([10, 77, 0, 100]);
const MAC = Buffer.from('024d5200000b', 'hex');

t.test('a probe asks for the address and claims none', async (t) => {
  t.equal(
    probeFrame(MAC, IP).toString('hex'),
    'ffffffffffff024d5200000b0806' +
      '0001080006040001024d5200000b00000000' +
      '0000000000000a4d0064',
  );
});

t.test('an announcement comes as a question and as an answer', async (t) => {
  const head = 'ffffffffffff024d5200000b0806000108000604';
  t.same(
    announcementFrames({ mac: MAC, ip: IP }).map((frame) => frame.toString('hex')),
    [
      `${head}0001024d5200000b0a4d00640000000000000a4d0064`,
      `${head}0002024d5200000b0a4d0064024d5200000b0a4d0064`,
    ],
  );
});

t.test('who sent a frame is read from ARP alone', async (t) => {
  const [frame] = announcementFrames({ mac: MAC, ip: IP });
  t.same(senderOf(frame), { mac: MAC, ip: IP });
  t.equal(senderOf(frame.subarray(0, 41)), undefined);
  const other = Buffer.from(frame);
  other.writeUInt16BE(0x0800, 12);
  t.equal(senderOf(other), undefined);
});

t.test('only IPv4 is taken for an address', async (t) => {
  t.same(parseIpv4('10.77.0.100'), IP);
  for (const text of ['10.77.0', '10.77.0.256', 'fd00::1', 'mail.test', '']) {
    t.throws(() => parseIpv4(text), { code: 'CONFIG_INVALID' });
  }
});

t.test('an address shares the subnet of another, not of itself', async (t) => {
  const own = (ip: number[], prefix: number) => ({ ip: Buffer.from(ip), prefix });
  t.ok(sharesSubnet(own([10, 77, 0, 11], 24), IP));
  t.ok(sharesSubnet(own([200, 1, 1, 1], 0), IP));
  t.notOk(sharesSubnet(own([10, 77, 1, 11], 24), IP));
  t.notOk(sharesSubnet(own([10, 77, 0, 100], 24), IP));
  t.notOk(sharesSubnet(own([10, 77, 0, 101], 32), IP));
});

t.test('a guarded lifetime is long enough, any other short enough', async (t) => {
  t.equal(lifetimeSeconds(600, true), 2);
  t.equal(lifetimeSeconds(6000, true), 7);
  t.equal(lifetimeSeconds(6000, false), 5);
  t.equal(lifetimeSeconds(6250, false), 6);
  t.equal(lifetimeSeconds(3240, false), 2);
  t.equal(lifetimeSeconds(900, false), 1, 'less can not be said');
});
