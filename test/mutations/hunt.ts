/**
 * Runs seed after seed on all cores until one breaks an invariant.
 */

import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import type { SeedOutcome, SeedWork } from './seeds-process.ts';

/** A seed takes seconds: one that takes so long runs in a circle. */
const SEED_MS_MAX = 60_000;
const HEAP_MB_MAX = 1000;
/** What the simulator calls an error that is none of its own. */
const NO_CRASH = 'no crash';

export interface Budget {
  readonly first: number;
  readonly seeds: number;
  readonly ticks: number;
}

export interface Catch {
  readonly seed: number;
  readonly by: 'invariant' | 'assertion' | 'crash';
  /** The invariant of the simulator that was broken; "no crash" when the product failed first. */
  readonly invariant: string;
  readonly text: string;
}

/**
 * Looks for the lowest seed that breaks an invariant of the simulator.
 *
 * @param takesAssertion whether an assertion of the product itself ends the search as well
 * @returns what was found; when no invariant was broken, how the product failed, if it did
 */
export async function hunt(
  program: string,
  budget: Budget,
  takesAssertion: boolean,
): Promise<Catch | undefined> {
  const search = new Search(budget, takesAssertion);
  const processes = Math.min(availableParallelism(), budget.seeds);
  await Promise.all(Array.from({ length: processes }, () => runSeeds(program, search)));
  return search.caught;
}

/** Which seed is next, and what was found by now; seeds above a find are of no interest. */
class Search {
  readonly #budget: Budget;
  readonly #takesAssertion: boolean;
  #next: number;
  #found: Catch | undefined;
  #failure: Catch | undefined;

  constructor(budget: Budget, takesAssertion: boolean) {
    this.#budget = budget;
    this.#takesAssertion = takesAssertion;
    this.#next = budget.first;
  }

  get caught(): Catch | undefined {
    return this.#found ?? this.#failure;
  }

  next(): SeedWork | undefined {
    const { first, seeds, ticks } = this.#budget;
    if (this.#next >= first + seeds || this.#found !== undefined) return undefined;
    const seed = this.#next;
    this.#next += 1;
    return { seed, ticks };
  }

  note({ seed, violation }: SeedOutcome): void {
    if (violation === undefined) return;
    const caught = { seed, ...violation, by: kindOf(violation) };
    const isWanted =
      caught.by === 'invariant' || (caught.by === 'assertion' && this.#takesAssertion);
    if (isWanted) this.#found = lower(this.#found, caught);
    else this.#failure = lower(this.#failure, caught);
  }
}

function lower(one: Catch | undefined, other: Catch): Catch {
  return one !== undefined && one.seed < other.seed ? one : other;
}

async function runSeeds(program: string, search: Search): Promise<void> {
  let child = start(program);
  try {
    for (let work = search.next(); work !== undefined; work = search.next()) {
      if (!child.connected) child = start(program);
      search.note(await outcomeOf(child, work));
    }
  } finally {
    child.kill('SIGKILL');
  }
}

/** A process of its own, which may be ended whatever it does. */
function start(program: string): ChildProcess {
  const execArgv = [`--max-old-space-size=${HEAP_MB_MAX}`];
  return fork(program, [], { execArgv, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
}

/** A process that ends instead of answering, or runs in a circle, is a crash. */
function outcomeOf(child: ChildProcess, work: SeedWork): Promise<SeedOutcome> {
  const crash = (text: string): SeedOutcome => ({
    seed: work.seed,
    violation: { invariant: NO_CRASH, text },
  });
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      end(crash(`the seed runs for more than ${SEED_MS_MAX} ms`));
    }, SEED_MS_MAX);
    const onExit = (): void => end(crash('the process ended'));
    const onMessage = (outcome: unknown): void => end(outcome as SeedOutcome);
    const end = (outcome: SeedOutcome): void => {
      clearTimeout(timer);
      child.off('exit', onExit).off('message', onMessage);
      resolve(outcome);
    };
    child.once('exit', onExit).once('message', onMessage);
    child.send(work);
  });
}

/** An error that `assert` threw is told by that call in its stack. */
function kindOf({ invariant, text }: NonNullable<SeedOutcome['violation']>): Catch['by'] {
  if (invariant !== NO_CRASH) return 'invariant';
  return /^\s+at assert /m.test(text) ? 'assertion' : 'crash';
}
