/** The configuration of the nodes of a lab cluster, as they read it. */

import { join } from 'node:path';
import { stringify } from 'yaml';
import { projectRoot } from './project-files.ts';

export const SHARED_ADDRESS = '10.77.0.100';
export const HTTP_PORT = 7480;
export const PEER_PORT = 7400;
/** The script of the mail service, which also tells its processes from others. */
export const SERVICE_SCRIPT = 'examples/mail/server.js';

export interface NodePaths {
  readonly config: string;
  readonly dataDir: string;
  readonly volume: string;
  readonly tokenFile: string;
  readonly log: string;
}

/** Where a node keeps what it has, below the disk of its machine. */
export function pathsBelow(directory: string): NodePaths {
  return {
    config: join(directory, 'mailraft.yaml'),
    dataDir: join(directory, 'data'),
    volume: join(directory, 'mail'),
    tokenFile: join(directory, 'http.token'),
    log: join(directory, 'daemon.log'),
  };
}

export interface MemberPlace {
  readonly id: string;
  /** Without a port. */
  readonly address: string;
}

export interface NodeConfigOptions {
  readonly self: MemberPlace;
  readonly members: readonly MemberPlace[];
  readonly paths: NodePaths;
  /** A preset, or single timings. */
  readonly timing: string | Readonly<Record<string, string>>;
}

/** What `mailraft.yaml` says, for a test to change before it is written. */
export type NodeConfig = Record<string, unknown>;

/** The first member is where the data of the cluster comes from. */
export function nodeConfig({ self, members, paths, timing }: NodeConfigOptions): NodeConfig {
  return {
    cluster: 'lab',
    node: { id: self.id, dataDir: paths.dataDir },
    members: members.map(({ id, address }, index) => ({
      id,
      address: `${address}:${PEER_PORT}`,
      role: 'voter',
      ...(index === 0 ? { origin: true } : {}),
    })),
    peers: { listen: `${self.address}:${PEER_PORT}`, tls: 'off', allowPlaintext: true },
    http: { listen: `127.0.0.1:${HTTP_PORT}`, tokenFile: paths.tokenFile },
    volumes: [{ name: 'mail', path: paths.volume }],
    service: {
      driver: 'command',
      start: serviceCommand(self.id, paths.volume),
      probes: [
        {
          type: 'smtp',
          address: `${SHARED_ADDRESS}:25`,
          every: '500ms',
          timeout: '1s',
          failures: 3,
        },
      ],
    },
    address: [{ driver: 'ip', address: `${SHARED_ADDRESS}/24`, interface: 'eth0' }],
    timing,
  };
}

export function toYaml(config: NodeConfig): string {
  return stringify(config);
}

function serviceCommand(id: string, volume: string): string[] {
  const script = join(projectRoot, 'build', SERVICE_SCRIPT);
  const listens = ['--smtp', '0.0.0.0:25', '--pop3', '0.0.0.0:110'];
  return [process.execPath, script, '--store', volume, ...listens, '--name', id];
}
