/** The program that lets a disk hang, compiled where there is a C compiler. */

import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Program } from '../cluster/processes.ts';

/** From where the compiled bench lies. */
const source = fileURLToPath(
  new URL('../../../../bench/consensus/failover/stalling-disk.c', import.meta.url),
);

export class StallingDisk {
  readonly #program: string;
  readonly #folder: string;

  private constructor(program: string, folder: string) {
    this.#program = program;
    this.#folder = folder;
  }

  /** Compiles it into `folder`; returns why that can not be. */
  static make(folder: string): StallingDisk | string {
    const program = join(folder, 'stalling-disk');
    const args = ['-O1', '-o', program, source];
    const { status, error, stderr } = spawnSync('cc', args, { encoding: 'utf8' });
    if (status !== 0) return `it takes a C compiler: ${error?.message ?? stderr.trim()}`;
    const disk = new StallingDisk(program, folder);
    const trial = disk.wrap({ file: 'true', args: [] }, 'trial');
    const tried = spawnSync(trial.file, trial.args, { encoding: 'utf8' });
    return tried.status === 0 ? disk : `the kernel asks nobody: ${tried.stderr.trim()}`;
  }

  /** The program on a disk that hangs when `stall` says so under the same name. */
  wrap({ file, args, ...rest }: Program, name: string): Program {
    return { ...rest, file: this.#program, args: [this.#fileOf(name), file, ...args] };
  }

  stall(name: string): void {
    writeFileSync(this.#fileOf(name), '');
  }

  /** Nothing hangs any more. */
  goOn(name: string): void {
    rmSync(this.#fileOf(name), { force: true });
  }

  #fileOf(name: string): string {
    return join(this.#folder, `${name}.hangs`);
  }
}
