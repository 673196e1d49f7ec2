/**
 * Where everything of a demo stands: three nodes on one machine, each with a folder and
 * ports of its own, and the shared address of their mail service. Pure.
 */

import { join } from 'node:path';
import { stringify } from 'yaml';
import { assert } from '../../errors.ts';

export interface DemoNode {
  readonly id: string;
  /** Whether the cluster is founded with it; others are there to be added. */
  readonly isFounder: boolean;
  readonly configFile: string;
  readonly dataDir: string;
  readonly volume: string;
  readonly tokenFile: string;
  readonly logFile: string;
  readonly peerPort: number;
  readonly httpPort: number;
  /** Where this node's own mail server listens; clients use the shared ports. */
  readonly smtpPort: number;
  readonly pop3Port: number;
}

export interface DemoLayout {
  readonly folder: string;
  readonly nodes: readonly DemoNode[];
  /** The shared address: held by whoever is primary. */
  readonly smtpPort: number;
  readonly pop3Port: number;
}

export const DEMO_HOST = '127.0.0.1';
/** Tells the service's processes from all others: the end of the script's path. */
export const SERVICE_MARKER = 'examples/mail/server.js';

const NODE_IDS = ['n1', 'n2', 'n3'];
const PORTS_PER_NODE = 4;
/** How many ports a layout with so many nodes beside the founders needs. */
export function portCount(others: number): number {
  return (NODE_IDS.length + others) * PORTS_PER_NODE + 2;
}
/** Short enough to be watched, long enough for a machine that does three nodes' work. */
const LEASE = '1500ms';
/** A node joins only where a full journal has room: a demo must not ask for a large disk. */
const JOURNAL = '1GiB';

/** @param others nodes beside the founders */
export function layoutOf(
  folder: string,
  ports: readonly number[],
  others: readonly string[] = [],
): DemoLayout {
  assert(ports.length === portCount(others.length), 'there is a port for all that listens');
  const port = (index: number): number => ports[index] ?? 0;
  return {
    folder,
    smtpPort: port(0),
    pop3Port: port(1),
    nodes: [...NODE_IDS, ...others].map((id, index) => {
      const first = 2 + index * PORTS_PER_NODE;
      return {
        id,
        isFounder: index < NODE_IDS.length,
        configFile: join(folder, id, 'mailraft.yaml'),
        dataDir: join(folder, id, 'data'),
        volume: join(folder, id, 'mail'),
        tokenFile: join(folder, id, 'http.token'),
        logFile: join(folder, id, 'daemon.log'),
        peerPort: port(first),
        httpPort: port(first + 1),
        smtpPort: port(first + 2),
        pop3Port: port(first + 3),
      };
    }),
  };
}

/** What `mailraft.yaml` of a node says; `serverScript` is the compiled mail server. */
export function configText(layout: DemoLayout, self: DemoNode, serverScript: string): string {
  const shared = { smtp: at(layout.smtpPort), pop3: at(layout.pop3Port) };
  const own = { smtp: at(self.smtpPort), pop3: at(self.pop3Port) };
  const listens = ['--smtp', own.smtp, '--pop3', own.pop3];
  return stringify({
    cluster: 'demo',
    node: { id: self.id, dataDir: self.dataDir },
    members: layout.nodes
      .filter(({ id, isFounder }) => isFounder || id === self.id)
      .map(({ id, peerPort, isFounder }, index) => ({
        ...{ id, address: at(peerPort), role: isFounder ? 'voter' : 'learner' },
        ...(index === 0 ? { origin: true } : {}),
      })),
    peers: { listen: at(self.peerPort), tls: 'off' },
    http: { listen: at(self.httpPort), tokenFile: self.tokenFile },
    volumes: [{ name: 'mail', path: self.volume }],
    service: {
      driver: 'command',
      start: [
        process.execPath,
        serverScript,
        '--store',
        self.volume,
        ...listens,
        '--name',
        self.id,
      ],
      startDeadline: '10s',
      stopTimeout: '5s',
      // Through the shared address, as clients come: it shows the whole way to the service.
      probes: [{ type: 'smtp', address: shared.smtp, every: '500ms', timeout: '1s', failures: 3 }],
    },
    address: [
      { driver: 'proxy', address: shared.smtp, to: own.smtp },
      { driver: 'proxy', address: shared.pop3, to: own.pop3 },
    ],
    timing: { lease: LEASE },
    journal: { maxSize: JOURNAL },
  });
}

function at(port: number): string {
  return `${DEMO_HOST}:${port}`;
}
