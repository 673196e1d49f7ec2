/**
 * Runs one test file as a process of its own and says how it went.
 *
 * The process leads a group, and whatever of the group is left when the file is
 * over, late or no longer wanted is killed.
 */

import { spawn } from 'node:child_process';
import { type Outcome, TapOutcome } from './tap-outcome.ts';

export interface FileRun {
  readonly outcome: Outcome;
  /** The end of what it wrote to its standard error. */
  readonly stderr: string;
  readonly seconds: number;
}

/** The rest of a longer standard error says little more. */
const STDERR_CHARACTERS_MAX = 64 * 1024;
/** Within this, tap itself reports a test that takes too long and tears it down. */
const GRACE_SECONDS = 15;

export class FileRunner {
  readonly #groups = new Set<number>();
  readonly #graceSeconds: number;

  constructor(graceSeconds: number = GRACE_SECONDS) {
    this.#graceSeconds = graceSeconds;
  }

  /** Runs `program` for `limitSeconds` at most. */
  run(program: string, limitSeconds: number): Promise<FileRun> {
    const startedAtMs = performance.now();
    const tap = new TapOutcome();
    let stderr = '';
    const child = spawn(process.execPath, [program], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TAP_TIMEOUT: String(limitSeconds) },
    });
    const { pid } = child;
    if (pid !== undefined) this.#groups.add(pid);
    let isLate = false;
    const limitMs = (limitSeconds + this.#graceSeconds) * 1000;
    const limit = setTimeout(() => {
      isLate = true;
      killGroup(pid);
    }, limitMs);
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => tap.write(chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr = (stderr + chunk).slice(-STDERR_CHARACTERS_MAX);
    });
    // What it started may hold its output open: kill that too, or the end never comes.
    child.on('exit', () => killGroup(pid));
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        clearTimeout(limit);
        if (pid !== undefined) this.#groups.delete(pid);
        const late = isLate ? `it took more than ${limitSeconds} s and was killed` : undefined;
        const outcome = judge(tap.end(), late ?? (signal ? `it ended by ${signal}` : code));
        resolve({ outcome, stderr, seconds: (performance.now() - startedAtMs) / 1000 });
      });
    });
  }

  /** Kills everything that is running. */
  stop(): void {
    for (const pid of this.#groups) killGroup(pid);
  }
}

/** Adds what only the end of the process tells. */
function judge(outcome: Outcome, end: string | number | null): Outcome {
  const { passed, failures, skips } = outcome;
  const problem =
    typeof end === 'string'
      ? end
      : end !== 0 && failures.length === 0
        ? `it exited with ${end} although no test failed`
        : passed + failures.length + skips.length === 0
          ? 'it ran no test'
          : undefined;
  if (problem === undefined) return outcome;
  return { ...outcome, failures: [...failures, { name: 'the file itself', text: problem }] };
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // Nobody is left of the group.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
