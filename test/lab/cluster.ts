/**
 * Three mailraft nodes in three machines, with a client and an observer.
 *
 * A node is its daemon; the daemon starts the guardian and the guardian the
 * service. All that a test does to a node from outside goes through here: its
 * processes are found by what they run and killed by their pid, and its status
 * is asked for over HTTP from within its machine.
 */

import type { ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { type HttpAnswer, type HttpRequest, InsideHttp } from './inside-http.ts';
import { LabNetwork } from './network.ts';
import {
  HTTP_PORT,
  type NodeConfig,
  type NodePaths,
  nodeConfig,
  pathsBelow,
  SERVICE_SCRIPT,
  SHARED_ADDRESS,
  toYaml,
} from './node-config.ts';
import { areInSync, isPrimary, type NodeStatus } from './node-status.ts';
import { ObserverClient } from './observer-client.ts';
import { type LabProcess, runsScript } from './processes.ts';
import { builtProgram } from './project-files.ts';
import { type UntilOptions, until } from './until.ts';

const SWITCHOVER_MS = 20_000;

export interface LabClusterOptions {
  /** Default 3. */
  readonly nodes?: number;
  /** Default `fast`. */
  readonly timing?: string | Readonly<Record<string, string>>;
  /** The last word on the configuration of a node before it is written. */
  readonly adjust?: (id: string, config: NodeConfig) => NodeConfig;
  /** Added to the environment of every daemon. */
  readonly env?: Readonly<Record<string, string>>;
  /** The folder of the compiled project that a node runs; without one, this project's own. */
  readonly buildOf?: (id: string) => string | undefined;
}

export class LabCluster {
  readonly network: LabNetwork;
  readonly #options: LabClusterOptions;
  readonly #http = new Map<string, InsideHttp>();
  readonly #daemons = new Map<string, ChildProcess>();

  private constructor(network: LabNetwork, options: LabClusterOptions) {
    this.network = network;
    this.#options = options;
    for (const id of this.nodes) this.#http.set(id, new InsideHttp(network.machine(id), HTTP_PORT));
  }

  /** Boots the machines and writes the configurations; no daemon runs yet. */
  static async up(options: LabClusterOptions = {}): Promise<LabCluster> {
    const network = await LabNetwork.up({ nodes: options.nodes ?? 3 });
    try {
      const cluster = new LabCluster(network, options);
      for (const id of cluster.nodes) cluster.#configure(id);
      return cluster;
    } catch (error) {
      await network.down();
      throw error;
    }
  }

  get nodes(): readonly string[] {
    return this.network.nodes;
  }

  pathsOf(id: string): NodePaths {
    return pathsBelow(this.network.directoryOf(id));
  }

  /** What the daemons of a node have logged in all their lives. */
  logOf(id: string): string {
    return readFileSync(this.pathsOf(id).log, 'utf8');
  }

  /** An observer of the shared address and the mail service. Start it before the daemons. */
  observe(): Promise<ObserverClient> {
    return ObserverClient.start(this.network, { address: SHARED_ADDRESS, marker: SERVICE_SCRIPT });
  }

  /** Starts the daemon of a node; also again after it was killed or its machine was booted. */
  start(id: string): ChildProcess {
    const { config, log } = this.pathsOf(id);
    const program = builtProgram('src/cli/main.ts', this.#options.buildOf?.(id));
    const argv = [process.execPath, program, 'run', '--config', config];
    const output = openSync(log, 'a');
    try {
      const { env = {} } = this.#options;
      const daemon = this.network.exec(id, argv, { env, stdio: ['ignore', output, output] });
      this.#daemons.set(id, daemon);
      return daemon;
    } finally {
      closeSync(output);
    }
  }

  startAll(): void {
    for (const id of this.nodes) this.start(id);
  }

  /** The `nsenter` that waits for the daemon that was started last; it exits as the daemon does. */
  launcherOf(id: string): ChildProcess | undefined {
    return this.#daemons.get(id);
  }

  daemonOf(id: string): LabProcess | undefined {
    return this.#running(id, 'cli/main.js').find(({ argv }) => argv.includes('run'));
  }

  guardianOf(id: string): LabProcess | undefined {
    return this.#running(id, 'guardian/main.js')[0];
  }

  servicesOf(id: string): LabProcess[] {
    return this.#running(id, SERVICE_SCRIPT);
  }

  /** A request to the daemon; carries the node's token. Rejects when nobody answers. */
  call(id: string, request: HttpRequest): Promise<HttpAnswer> {
    const http = this.#http.get(id);
    if (http === undefined) throw new Error(`no node ${JSON.stringify(id)}`);
    const changes = (request.method ?? 'GET') !== 'GET';
    const token = changes ? { authorization: `Bearer ${this.#token(id)}` } : {};
    return http.request({ ...request, headers: { ...token, ...request.headers } });
  }

  /** Undefined while the daemon does not answer. */
  async status(id: string): Promise<NodeStatus | undefined> {
    let answer: HttpAnswer;
    try {
      answer = await this.call(id, { path: '/status' });
    } catch {
      // Off, dead, stopped or starting: to the one who asks it is all the same.
      return undefined;
    }
    return answer.status === 200 ? (JSON.parse(answer.body) as NodeStatus) : undefined;
  }

  async statuses(ids: readonly string[] = this.nodes): Promise<NodeStatus[]> {
    const statuses = await Promise.all(ids.map((id) => this.status(id)));
    return statuses.filter((status) => status !== undefined);
  }

  /** Resolves with the primary; `other` names one that it must not be. */
  untilPrimary(other?: string, options: UntilOptions = {}): Promise<string> {
    const look = async () => {
      const serving = (await this.statuses()).filter(isPrimary).map(({ node }) => node);
      return serving.length === 1 && serving[0] !== other ? serving[0] : undefined;
    };
    return until('a primary serves', look, { timeoutMs: 30_000, everyMs: 50, ...options });
  }

  /** Asks the primary to give its place away; resolves when another node serves. */
  async switchOver(to?: string): Promise<void> {
    const primary = await this.untilPrimary();
    const { status, body } = await this.call(primary, {
      method: 'POST',
      path: `/v1/switchover?wait=${SWITCHOVER_MS}ms`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ to }),
      timeoutMs: SWITCHOVER_MS,
    });
    if (status === 200) return;
    throw new Error(`asked for a switchover, ${primary} answered ${status} ${body}`);
  }

  /** Resolves when these nodes have the same trees and nothing is on its way. */
  async untilInSync(
    ids: readonly string[] = this.nodes,
    options: UntilOptions = {},
  ): Promise<NodeStatus[]> {
    const look = async () => {
      const statuses = await this.statuses(ids);
      return statuses.length === ids.length && areInSync(statuses) ? statuses : undefined;
    };
    const what = `${ids.join(', ')} are in sync`;
    return until(what, look, { timeoutMs: 30_000, everyMs: 50, ...options });
  }

  /** Stops everything and removes all directories. May be called again. */
  down(): Promise<void> {
    return this.network.down();
  }

  #configure(id: string): void {
    const members = this.nodes.map((node) => ({
      id: node,
      address: this.network.addressOf(node),
    }));
    const paths = this.pathsOf(id);
    const self = { id, address: this.network.addressOf(id) };
    const { timing = 'fast', adjust = (_, config) => config } = this.#options;
    mkdirSync(paths.volume);
    mkdirSync(paths.dataDir);
    const config = adjust(id, nodeConfig({ self, members, paths, timing }));
    writeFileSync(paths.config, toYaml(config));
  }

  #running(id: string, script: string): LabProcess[] {
    return this.network.processes(id).filter((found) => runsScript(found, script));
  }

  #token(id: string): string {
    return readFileSync(this.pathsOf(id).tokenFile, 'utf8').trim();
  }
}
