/**
 * For every key of the configuration the test that shows what it does: the file, and a
 * text in it. A key without an entry, or an entry without its test, fails.
 *
 * Where a key only becomes a value here and acts elsewhere, both tests belong in its list.
 */

export interface KeyEffect {
  /** Below `test/`. */
  readonly file: string;
  /** Stands in that file. */
  readonly text: string;
}

const VALUES: KeyEffect = {
  file: 'config/load-config.test.ts',
  text: 'what the file says is taken over in base units and absolute paths',
};
const PRESETS: KeyEffect = {
  file: 'config/load-config.test.ts',
  text: 'the presets are leases of one, six and twenty seconds',
};
const CERTIFICATES: KeyEffect = {
  file: 'config/load-config.test.ts',
  text: 'certificates are read before they are needed',
};
const FOUNDERS: KeyEffect = {
  file: 'daemon/founding.test.ts',
  text: 'what the file says of its members is what the cluster begins with',
};
const PEERS: KeyEffect = {
  file: 'net/transport.test.ts',
  text: 'who is not who its certificate names is refused',
};
const FIT: KeyEffect = {
  file: 'config/wrong-relations.test.ts',
  text: 'single timings that do not fit',
};
const relation = (text: string): KeyEffect => ({ file: 'config/wrong-relations.test.ts', text });
const witness = (text: string): KeyEffect => ({ file: 'config/wrong-witness.test.ts', text });
const shape = (text: string): KeyEffect => ({ file: 'config/wrong-shapes.test.ts', text });
/** A choice of one: that the others are refused is all there is to it. */
const onlyChoice = (key: string): KeyEffect => shape(`['${key}',`);

export const KEY_EFFECTS: Readonly<Record<string, readonly KeyEffect[]>> = {
  cluster: [VALUES, { file: 'net/transport.test.ts', text: 'another cluster, another foundation' }],
  node: [VALUES],
  'node.id': [VALUES, relation('a node that is no member')],
  'node.dataDir': [VALUES, relation('a data directory in a folder that is missing')],
  members: [VALUES, relation('two voters')],
  'members[].id': [VALUES, relation('two members of one id')],
  'members[].address': [VALUES, relation('two members at one address')],
  'members[].role': [
    VALUES,
    relation('two voters and a learner'),
    witness('two witnesses'),
    FOUNDERS,
  ],
  'members[].priority': [
    VALUES,
    FOUNDERS,
    {
      file: 'daemon/members/roster-words.test.ts',
      text: 'who has the higher priority stands for election sooner',
    },
  ],
  'members[].site': [
    VALUES,
    { file: 'daemon/members/roster.test.ts', text: 'a learner at a site of its own' },
  ],
  'members[].origin': [VALUES, relation('two origins')],
  'members[].canBePrimary': [VALUES, relation('an origin that may not be primary')],
  peers: [VALUES],
  'peers.listen': [VALUES, relation('the HTTP interface at the port of the peers')],
  'peers.tls': [VALUES, CERTIFICATES, PEERS],
  'peers.tls.ca': [CERTIFICATES, PEERS],
  'peers.tls.cert': [CERTIFICATES, PEERS],
  'peers.tls.key': [CERTIFICATES, PEERS],
  'peers.allowPlaintext': [relation('plaintext between machines that nobody allowed')],
  http: [VALUES],
  'http.listen': [VALUES],
  'http.tokenFile': [VALUES, relation('a token in a volume')],
  volumes: [VALUES, witness('a member with data and without volumes')],
  'volumes[].name': [VALUES],
  'volumes[].path': [VALUES, relation('one folder twice')],
  'volumes[].exclude': [
    VALUES,
    { file: 'replication/capture.test.ts', text: 'what is excluded is left alone' },
  ],
  service: [VALUES],
  'service.driver': [VALUES, relation('a program for a driver that runs none')],
  'service.start': [VALUES, relation('a program that may not be executed')],
  'service.startDeadline': [VALUES],
  'service.stopTimeout': [VALUES],
  'service.stopBudget': [VALUES, relation('a stop budget that the lease has no room for')],
  'service.restarts': [VALUES],
  'service.restarts.max': [VALUES],
  'service.restarts.within': [VALUES],
  'service.probes': [VALUES],
  'service.probes[].type': [VALUES],
  'service.probes[].address': [VALUES],
  'service.probes[].every': [VALUES],
  'service.probes[].timeout': [VALUES],
  'service.probes[].failures': [VALUES],
  address: [VALUES],
  'address[].driver': [VALUES],
  'address[].address': [VALUES, relation('the broadcast address of the subnet')],
  'address[].interface': [VALUES],
  'address[].to': [VALUES, relation('a proxy to itself')],
  timing: [PRESETS],
  'timing.lease': [VALUES, FIT],
  'timing.networkBudget': [VALUES, FIT],
  'timing.kill': [VALUES, FIT],
  'timing.margin': [VALUES, FIT],
  journal: [VALUES],
  'journal.maxSize': [VALUES],
  failback: [VALUES],
  salvage: [onlyChoice('salvage')],
  fence: [onlyChoice('fence')],
  production: [onlyChoice('production')],
  profile: [onlyChoice('profile')],
};
