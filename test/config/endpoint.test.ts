/** Addresses are what the network takes for addresses. */

import fc from 'fast-check';
import t from 'tap';
import {
  collides,
  formatEndpoint,
  isLoopback,
  parseEndpoint,
  parseSubnet,
  unfitReason,
} from '../../src/config/endpoint.ts';

t.test('a host and a port are read, and written as before', async (t) => {
  const good = [
    '10.77.0.11:7400',
    'mail-1.example.org:25',
    '[::1]:1',
    '[2001:db8::5]:65535',
    'a:1',
  ];
  for (const text of good) {
    const endpoint = parseEndpoint(text);
    t.ok(endpoint, text);
    if (endpoint !== undefined) t.equal(formatEndpoint(endpoint), text);
  }
  fc.assert(
    fc.property(fc.ipV6(), fc.integer({ min: 1, max: 65_535 }), (host, port) => {
      const endpoint = parseEndpoint(`[${host}]:${port}`);
      return endpoint?.host === host && endpoint.port === port;
    }),
  );
});

t.test('other text is no endpoint', async (t) => {
  const bad = ['10.77.0.11', ':25', 'a:0', 'a:65536', 'a:025', '::1:25', '[10.0.0.1]:25'];
  const worse = [
    '10.77.0.300:25',
    '1.2.3:25',
    '-a:25',
    'a-:25',
    'a..b:25',
    'a b:25',
    'a:25 ',
    '[::1]',
  ];
  for (const text of [...bad, ...worse, `${'a'.repeat(64)}:1`]) {
    t.equal(parseEndpoint(text), undefined, text);
  }
});

t.test('loopback is what never leaves the machine', async (t) => {
  const of = (host: string) => isLoopback({ host, port: 1 });
  t.same(['127.0.0.1', '127.9.9.9', '::1', 'localhost'].map(of), [true, true, true, true]);
  t.same(['10.0.0.1', '0.0.0.0', '::', '127.example.org'].map(of), [false, false, false, false]);
});

t.test('two listeners collide at one port of one host, or of all', async (t) => {
  t.ok(collides({ host: 'a', port: 1 }, { host: 'a', port: 1 }));
  t.ok(collides({ host: '0.0.0.0', port: 1 }, { host: '10.0.0.1', port: 1 }));
  t.notOk(collides({ host: '0.0.0.0', port: 1 }, { host: '10.0.0.1', port: 2 }));
  t.notOk(collides({ host: '127.0.0.1', port: 1 }, { host: '127.0.0.2', port: 1 }));
});

t.test('a subnet is an address with a prefix', async (t) => {
  t.same(parseSubnet('10.77.0.100/24'), { address: '10.77.0.100', prefix: 24 });
  for (const text of ['10.77.0.100', '10.77.0.100/0', '10.77.0.100/33', '10.77.0/24', '::1/64']) {
    t.equal(parseSubnet(text), undefined, text);
  }
});

t.test('the ends of a subnet belong to no machine', async (t) => {
  const reason = (text: string) => {
    const subnet = parseSubnet(text);
    return subnet === undefined ? 'no subnet' : unfitReason(subnet);
  };
  t.equal(reason('10.77.0.0/24'), 'the address of the subnet itself');
  t.equal(reason('10.77.0.255/24'), 'the broadcast address of its subnet');
  t.equal(reason('10.77.1.255/23'), 'the broadcast address of its subnet');
  t.equal(reason('255.255.255.255/32'), 'an address that no machine can have');
  t.equal(reason('224.0.0.5/24'), 'an address that no machine can have');
  for (const text of ['10.77.0.255/23', '10.77.0.100/24', '10.0.0.0/31', '10.0.0.0/32']) {
    t.equal(reason(text), undefined, text);
  }
});
