/** Samples of running service processes made into intervals, overlaps and gaps. Pure. */

export interface RunningService {
  readonly node: string;
  readonly pid: number;
  /** Start of the process in clock ticks; with the pid it names one process for good. */
  readonly startTicks: string;
}

/** A process seen running in every sample from the first time to the last. */
export interface ServiceInterval {
  readonly node: string;
  readonly pid: number;
  readonly startMs: number;
  readonly endMs: number;
}

/** A moment at which more than one service process was running. */
export interface DoubleService {
  readonly atMs: number;
  readonly services: readonly { readonly node: string; readonly pid: number }[];
}

export interface SamplerResult {
  readonly intervals: readonly ServiceInterval[];
  /** The first of them; `doubleCount` counts all. */
  readonly doubles: readonly DoubleService[];
  readonly doubleCount: number;
  readonly samples: number;
  /** Between the beginnings of two samples, and from the last one to the stop. */
  readonly longestGapMs: number;
}

const DOUBLES_KEPT = 1_000;

interface OpenInterval {
  readonly service: RunningService;
  readonly startMs: number;
  endMs: number;
}

export class ProcessTimeline {
  readonly #closed: ServiceInterval[] = [];
  readonly #doubles: DoubleService[] = [];
  #open: Map<string, OpenInterval> = new Map();
  #doubleCount = 0;
  #samples = 0;
  #lastAtMs = 0;
  #longestGapMs = 0;

  get samples(): number {
    return this.#samples;
  }

  /** Takes what one sample saw; times must not go backwards. */
  add(atMs: number, running: readonly RunningService[]): void {
    this.#noteGap(atMs);
    this.#samples += 1;
    this.#lastAtMs = atMs;
    const open = new Map<string, OpenInterval>();
    for (const service of running) {
      const key = `${service.pid}/${service.startTicks}`;
      const interval = this.#open.get(key) ?? { service, startMs: atMs, endMs: atMs };
      interval.endMs = atMs;
      open.set(key, interval);
      this.#open.delete(key);
    }
    for (const interval of this.#open.values()) this.#closed.push(intervalOf(interval));
    this.#open = open;
    if (running.length > 1) this.#noteDouble(atMs, running);
  }

  /** The account up to `atMs`, which counts as the end of the last gap. */
  result(atMs: number): SamplerResult {
    this.#noteGap(atMs);
    const intervals = [...this.#closed, ...[...this.#open.values()].map(intervalOf)];
    return {
      intervals: intervals.sort((a, b) => a.startMs - b.startMs),
      doubles: this.#doubles,
      doubleCount: this.#doubleCount,
      samples: this.#samples,
      longestGapMs: this.#longestGapMs,
    };
  }

  #noteGap(atMs: number): void {
    if (this.#samples === 0) return;
    this.#longestGapMs = Math.max(this.#longestGapMs, atMs - this.#lastAtMs);
  }

  #noteDouble(atMs: number, running: readonly RunningService[]): void {
    this.#doubleCount += 1;
    if (this.#doubles.length >= DOUBLES_KEPT) return;
    this.#doubles.push({ atMs, services: running.map(({ node, pid }) => ({ node, pid })) });
  }
}

function intervalOf({ service, startMs, endMs }: OpenInterval): ServiceInterval {
  return { node: service.node, pid: service.pid, startMs, endMs };
}
