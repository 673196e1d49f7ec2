/**
 * The metrics of one node, in a registry of its own: several nodes may live in one
 * process. Gauges and counters are read from a snapshot at each scrape; durations
 * are observed as they happen.
 */

import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { type MetricRow, NODE_METRICS, PROCESS_METRICS } from './metric-table.ts';
import type { MetricsSnapshot } from './node-port.ts';
import { type ProcessFigures, readProcessFigures } from './process-figures.ts';

const FSYNC_BUCKETS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5];
const COMMIT_BUCKETS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10];
const PHASE_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120];

/** Sets one metric as the snapshot and the process have it. */
type Fill = (snapshot: MetricsSnapshot, figures: ProcessFigures) => void;

export class NodeMetrics {
  readonly registry: Registry = new Registry();
  readonly #read: () => MetricsSnapshot;
  readonly #fills: readonly Fill[];
  readonly #fsync: Histogram;
  readonly #commit: Histogram;
  readonly #phase: Histogram<'phase'>;

  constructor(read: () => MetricsSnapshot) {
    this.#read = read;
    const registers = [this.registry];
    this.#fills = [
      ...NODE_METRICS.map((row) => this.#nodeMetric(row)),
      ...PROCESS_METRICS.map(({ figure, ...row }) => {
        const set = this.#register({ ...row, labels: [] });
        return (_: MetricsSnapshot, figures: ProcessFigures) => set(figures[figure]);
      }),
    ];
    this.#fsync = new Histogram({
      name: 'mailraft_journal_fsync_duration_seconds',
      help: 'How long the disk took to make a batch of the journal durable.',
      buckets: FSYNC_BUCKETS,
      registers,
    });
    this.#commit = new Histogram({
      name: 'mailraft_commit_duration_seconds',
      help: 'From the proposal of an entry until it was committed.',
      buckets: COMMIT_BUCKETS,
      registers,
    });
    this.#phase = new Histogram({
      name: 'mailraft_failover_phase_duration_seconds',
      help: 'How long each phase of a change of the primary took.',
      labelNames: ['phase'],
      buckets: PHASE_BUCKETS,
      registers,
    });
  }

  observeFsync(seconds: number): void {
    this.#fsync.observe(seconds);
  }

  observeCommit(seconds: number): void {
    this.#commit.observe(seconds);
  }

  observePhase(phase: string, seconds: number): void {
    this.#phase.observe({ phase }, seconds);
  }

  /** What a scrape gets. */
  async text(): Promise<string> {
    const [snapshot, figures] = [this.#read(), readProcessFigures()];
    for (const fill of this.#fills) fill(snapshot, figures);
    return await this.registry.metrics();
  }

  #nodeMetric(row: MetricRow): Fill {
    const set = this.#register(row);
    return (snapshot) => set(row.samples(snapshot));
  }

  #register({
    type,
    name,
    help,
    labels = [],
  }: Omit<MetricRow, 'samples'>): (value: ReturnType<MetricRow['samples']>) => void {
    const settings = { name, help, labelNames: [...labels], registers: [this.registry] };
    const metric = type === 'gauge' ? new Gauge(settings) : new Counter(settings);
    return (value) => {
      // A peer that left and a state that is over take their series with them.
      metric.reset();
      const samples = typeof value === 'object' ? value : [{ value: Number(value) }];
      for (const sample of samples) metric.inc({ ...sample.labels }, sample.value);
    };
  }
}
