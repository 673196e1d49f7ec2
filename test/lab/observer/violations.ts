/**
 * Double holders and double services, sample by sample, gathered into episodes.
 *
 * Every bad sample counts; samples that follow each other closely are one
 * episode, which is one line of the report.
 */

import type { ObserverEvent, Violation } from './report.ts';

interface Episode {
  readonly fromMs: number;
  toMs: number;
  samples: number;
  readonly who: Set<string>;
}

/** Bad samples further apart than this are two episodes. */
const APART_MS = 200;

export class ViolationLog {
  readonly #kind: Violation['violation'];
  readonly #emit: (event: ObserverEvent) => void;
  readonly #episodes: Episode[] = [];
  #samples = 0;

  constructor(kind: Violation['violation'], emit: (event: ObserverEvent) => void) {
    this.#kind = kind;
    this.#emit = emit;
  }

  /** Bad samples so far. */
  get samples(): number {
    return this.#samples;
  }

  add(atMs: number, who: readonly string[]): void {
    this.#samples += 1;
    const last = this.#episodes.at(-1);
    if (last !== undefined && atMs - last.toMs <= APART_MS) {
      last.toMs = atMs;
      last.samples += 1;
      for (const name of who) last.who.add(name);
      return;
    }
    this.#episodes.push({ fromMs: atMs, toMs: atMs, samples: 1, who: new Set(who) });
    this.#emit({ event: 'violation', atMs, violation: this.#kind, who });
  }

  get violations(): Violation[] {
    return this.#episodes.map(({ fromMs, toMs, samples, who }) => ({
      violation: this.#kind,
      fromMs,
      toMs,
      samples,
      who: [...who],
    }));
  }
}
