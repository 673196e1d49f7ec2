/** What the bench and its load generator say to each other. */

import type { SystemName } from '../clients/open-client.ts';

export interface Load {
  readonly system: SystemName;
  /** Where the leader serves clients, on 127.0.0.1. */
  readonly port: number;
  /** Each has a connection of its own and one write under way. */
  readonly clients: number;
  readonly valueBytes: number;
  /** Begins all keys. */
  readonly prefix: string;
}

export type ToGenerator =
  /** Load for so long, of which the last part is measured. */
  | {
      readonly kind: 'measure';
      readonly load: Load;
      readonly warmUpMs: number;
      readonly measureMs: number;
      /** Processes whose CPU is the servers'. */
      readonly serverPids: readonly number[];
    }
  /** Load until the servers are gone, or for so long at most. */
  | { readonly kind: 'endure'; readonly load: Load; readonly endMs: number };

export interface Measured {
  readonly commits: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly serverCpuSeconds: number;
  readonly generatorCpuSeconds: number;
}

export type FromGenerator =
  | { readonly kind: 'measured'; readonly measured: Measured }
  /** How many writes of each client were answered; they are numbered from 0. */
  | { readonly kind: 'endured'; readonly acknowledged: readonly number[] }
  | { readonly kind: 'failed'; readonly message: string };

/** The key of a client's write. */
export function keyOf(prefix: string, client: number, write: number): string {
  return `${prefix}/${String(client).padStart(3, '0')}/${String(write).padStart(7, '0')}`;
}
