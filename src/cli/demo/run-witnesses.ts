/**
 * Those who watch a scripted run from outside the product: the mail client with its
 * ledger, the barriers, the process sampler and the lag watch. They know nothing of what
 * is done to the cluster, and nothing waits for them.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from '../../errors.ts';
import { BarrierLoop } from './barrier-loop.ts';
import type { MailCorpus } from './corpus.ts';
import type { DemoCluster } from './demo-cluster.ts';
import { DEMO_HOST } from './demo-layout.ts';
import { LagWatch, type Sighting, type WatchedFolder } from './lag-watch.ts';
import { ProcessSampler } from './process-sampler.ts';
import type { SamplerResult } from './process-timeline.ts';
import type { Ledger } from './smtp-ledger.ts';
import { SmtpLoad } from './smtp-load.ts';

/** Where the example mail server keeps complete messages, below its volume. */
const MESSAGES = 'new';
const SESSIONS = 6;

export class RunWitnesses {
  readonly load: SmtpLoad;
  readonly barriers: BarrierLoop;
  readonly #cluster: DemoCluster;
  readonly #sampler: ProcessSampler;
  #lag: LagWatch | undefined;
  #isLoading = false;
  #ledger: Promise<Ledger> | undefined;
  #services: Promise<SamplerResult> | undefined;
  #sightings: Promise<Sighting[]> | undefined;

  constructor(cluster: DemoCluster, corpus: MailCorpus, ratePerSecond: number) {
    this.#cluster = cluster;
    this.barriers = new BarrierLoop(cluster.clients);
    this.#sampler = new ProcessSampler(cluster.serviceScan);
    this.load = new SmtpLoad({
      host: DEMO_HOST,
      port: cluster.layout.smtpPort,
      sessions: SESSIONS,
      message: (index) => corpus.message(index),
      idPrefix: 'demo',
      ratePerSecond,
    });
    // Before any daemon runs: there is no moment that it does not see.
    this.#sampler.start();
  }

  /** The service has made its folders, and every node has them. */
  get canBegin(): boolean {
    return this.#folders.every(({ path }) => existsSync(path));
  }

  /** Begins load, barriers and lag watch. */
  async begin(): Promise<void> {
    this.#lag = await LagWatch.start(this.#folders);
    this.#isLoading = true;
    this.load.start();
    this.barriers.start();
  }

  stopLoad(): Promise<Ledger> {
    this.#ledger ??= this.load.stop();
    return this.#ledger;
  }

  stopSampler(): Promise<SamplerResult> {
    this.#services ??= this.#sampler.stop();
    return this.#services;
  }

  stopLag(): Promise<Sighting[]> {
    assert(this.#lag !== undefined, 'the lag watch was started');
    this.#sightings ??= this.#lag.stop();
    return this.#sightings;
  }

  get #folders(): WatchedFolder[] {
    const { nodes } = this.#cluster.layout;
    return nodes.map(({ id, volume }) => ({ node: id, path: join(volume, MESSAGES) }));
  }

  /** Ends whoever still watches; may be called at any time, also again. */
  async stop(): Promise<void> {
    await Promise.all([
      this.stopSampler(),
      ...(this.#isLoading ? [this.stopLoad(), this.barriers.stop()] : []),
      ...(this.#lag === undefined ? [] : [this.stopLag()]),
    ]);
  }
}
