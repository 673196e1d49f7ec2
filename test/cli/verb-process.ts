/** The command line as a process of its own, compiled before the tests run. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Test } from 'tap';
import { builtProgram } from '../lab/project-files.ts';

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface VerbOptions {
  /** Where it runs; elsewhere than in the project, so that no file lies in its way. */
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Another program than the command line. */
  readonly program?: string;
}

export class VerbProcess {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  readonly ended: Promise<Ended>;

  /** Ends with the test at the latest. */
  constructor(t: Test, argv: readonly string[], options: VerbOptions) {
    const program = options.program ?? builtProgram('src/cli/main.ts');
    this.child = spawn(process.execPath, [program, ...argv], {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.on('data', (chunk) => {
      this.stdout += chunk;
    });
    this.child.stderr?.on('data', (chunk) => {
      this.stderr += chunk;
    });
    this.ended = once(this.child, 'close').then(([code, signal]) => {
      return { code, signal, stdout: this.stdout, stderr: this.stderr };
    });
    t.teardown(async () => {
      this.child.kill('SIGKILL');
      await this.ended;
    });
  }
}

/** Runs a verb to its end. */
export async function runVerb(
  t: Test,
  argv: readonly string[],
  options: VerbOptions,
): Promise<Ended> {
  return await new VerbProcess(t, argv, options).ended;
}
