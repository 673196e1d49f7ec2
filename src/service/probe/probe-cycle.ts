/**
 * One probe, asked again and again: never twice at a time, and more often while the
 * service does not pass, so that its coming up is noticed soon.
 */

import type { ProbeConfig } from '../../config/config.ts';
import { wallMs } from '../../platform/linux/clock.ts';
import type { Probe } from './connection.ts';
import { probeSmtp } from './smtp-probe.ts';
import { probeTcp } from './tcp-probe.ts';
import { counted, NOTHING_KNOWN, type Verdict } from './verdict.ts';

const SOON_MS = 100;

const PROBES: Readonly<Record<ProbeConfig['type'], Probe>> = { tcp: probeTcp, smtp: probeSmtp };

export class ProbeCycle {
  readonly name: string;
  readonly #config: ProbeConfig;
  readonly #onVerdict: () => void;
  #tally = NOTHING_KNOWN;
  #failures = 0;
  #atMs: number | null = null;
  #text = 'not asked yet';
  #timer: NodeJS.Timeout | undefined;
  #running: AbortController | undefined;

  /** @param onVerdict called when the verdict has changed by an outcome */
  constructor(config: ProbeConfig, onVerdict: () => void) {
    const { host, port } = config.address;
    this.name = `${config.type} ${host}:${port}`;
    this.#config = config;
    this.#onVerdict = onVerdict;
  }

  get verdict(): Verdict {
    return this.#tally.verdict;
  }

  /** All failures ever. */
  get failures(): number {
    return this.#failures;
  }

  /** Wall clock of the last outcome, in ms; null before the first. */
  get atMs(): number | null {
    return this.#atMs;
  }

  get text(): string {
    return this.#text;
  }

  start(): void {
    if (this.#running !== undefined) return;
    this.#running = new AbortController();
    this.#ask(this.#running.signal);
  }

  /** Gives up what is under way and forgets the verdict. */
  stop(): void {
    const running = this.#running;
    this.#running = undefined;
    clearTimeout(this.#timer);
    this.#tally = NOTHING_KNOWN;
    running?.abort();
  }

  #ask(signal: AbortSignal): void {
    const startedAtMs = performance.now();
    PROBES[this.#config.type](this.#config, signal).then(({ isSuccess, text }) => {
      // Stopped in the meantime: the outcome belongs to nobody.
      if (signal.aborted) return;
      const before = this.verdict;
      this.#tally = counted(this.#tally, isSuccess, this.#config.failures);
      if (!isSuccess) this.#failures += 1;
      this.#atMs = wallMs();
      this.#text = text;
      const { everyMs } = this.#config;
      const pauseMs = this.verdict === 'passing' ? everyMs : Math.min(everyMs, SOON_MS);
      const leftMs = Math.max(0, startedAtMs + pauseMs - performance.now());
      this.#timer = setTimeout(() => this.#ask(signal), leftMs);
      if (this.verdict !== before) this.#onVerdict();
    });
  }
}
