/**
 * A configuration as the rest of the system sees it: complete, in base units, with
 * absolute paths. How a file becomes one is `load-config.ts`.
 */

import type { EndingTimes } from '../service/tenure/deadlines.ts';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface MemberConfig {
  readonly id: string;
  readonly address: Endpoint;
  /** As of the founding. A witness has a vote and no data, a learner data and no vote. */
  readonly role: 'voter' | 'witness' | 'learner';
  /** Among ready members the one with the highest is handed the place. */
  readonly priority: number;
  /** For people only; empty when none was given. */
  readonly site: string;
  /** The cluster starts from this member's data. */
  readonly origin: boolean;
  readonly canBePrimary: boolean;
}

/** Absolute paths of PEM files. */
export interface TlsPaths {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface VolumeConfig {
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  readonly exclude: readonly string[];
}

export interface ProbeConfig {
  readonly type: 'tcp' | 'smtp';
  readonly address: Endpoint;
  readonly everyMs: number;
  readonly timeoutMs: number;
  /** So many failures in a row mean that the service fails. */
  readonly failures: number;
}

export interface ServiceConfig {
  readonly driver: 'command' | 'none';
  /** Argument vector of the program that runs in the foreground; empty without one. */
  readonly start: readonly string[];
  readonly startDeadlineMs: number;
  readonly stopTimeoutMs: number;
  readonly restarts: { readonly max: number; readonly withinMs: number };
  readonly probes: readonly ProbeConfig[];
}

export type AddressConfig =
  | {
      readonly driver: 'ip';
      readonly address: string;
      /** Length of the subnet's prefix in bits. */
      readonly prefix: number;
      readonly interface: string;
    }
  | { readonly driver: 'proxy'; readonly listen: Endpoint; readonly to: Endpoint };

/** Everything that is derived from `timing` and the service's `stopBudget`; ms. */
export interface Timings {
  readonly leaseMs: number;
  /** Ticks of the core in a lease; a tick is `leaseMs / ticksPerLease`. */
  readonly ticksPerLease: number;
  /** Ticks between heartbeats: how often the tenure is renewed. */
  readonly heartbeatTicks: number;
  readonly networkBudgetMs: number;
  readonly ending: EndingTimes;
  /** Silence between the nodes that costs nobody his place. */
  readonly blipToleranceMs: number;
  /** From the loss of a primary until its successor starts the service. */
  readonly worstCaseTakeoverMs: number;
}

export interface Config {
  /** Path of the file, for messages. */
  readonly file: string;
  readonly cluster: string;
  readonly node: { readonly id: string; readonly dataDir: string };
  readonly members: readonly MemberConfig[];
  readonly peers: {
    readonly listen: Endpoint;
    readonly tls: TlsPaths | undefined;
    readonly allowPlaintext: boolean;
  };
  readonly http: { readonly listen: Endpoint; readonly tokenFile: string };
  /** Empty at a witness alone. */
  readonly volumes: readonly VolumeConfig[];
  readonly service: ServiceConfig;
  readonly address: readonly AddressConfig[];
  readonly timing: Timings;
  readonly journal: { readonly maxSizeBytes: number };
  readonly failback: 'never' | 'manual';
  /** What is allowed and yet worth a word, each a sentence. */
  readonly warnings: readonly string[];
}
