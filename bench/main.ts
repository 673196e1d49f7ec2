/**
 * `npm run bench -- consensus [--only NAME] [--runs N] [--json] [--folder PATH]`:
 * figures side by side with others, taken in turns; medians and ratios.
 *
 * Exit 0 when what must hold whatever the machine held (nothing acknowledged is lost),
 * 1 when it did not, 2 when the command line is wrong.
 */

import { isMailraftError, messageOf } from '../src/errors.ts';
import { cluster } from './consensus/cluster/cluster-workload.ts';
import { core } from './consensus/core/core-workload.ts';
import { failover } from './consensus/failover/failover-workload.ts';
import { diskOf, loadLine, machineLine, memoryFileSystem } from './measure/machine.ts';
import { type BenchOptions, readOptions } from './options.ts';
import type { Workload } from './report/workload.ts';

const WORKLOADS: readonly Workload[] = [core, cluster, failover];

try {
  const options = readOptions(
    process.argv.slice(2),
    WORKLOADS.map(({ name }) => name),
  );
  process.exitCode = await runAll(options);
} catch (error) {
  tell(messageOf(error));
  process.exitCode = isMailraftError(error, 'USAGE') ? 2 : 1;
}

async function runAll({ only, runs, isJson, folder }: BenchOptions): Promise<number> {
  const say = isJson ? tell : print;
  say(machineLine());
  say(`${runs} runs each, medians; data in ${folder} on ${diskOf(folder)}`);
  const inMemory = memoryFileSystem(folder);
  if (inMemory !== undefined) say(`${folder} is ${inMemory}, where a sync costs nothing`);
  const broken: string[] = [];
  for (const workload of WORKLOADS) {
    if (only !== undefined && workload.name !== only) continue;
    const report = await workload.run({ runs, folder, tell });
    broken.push(...report.broken);
    say(`\n${workload.name}: ${workload.about} (${loadLine()})`);
    for (const line of report.lines) say(line);
    if (isJson) for (const figures of report.figures) print(JSON.stringify(figures));
  }
  for (const line of broken) say(`BROKEN: ${line}`);
  return broken.length > 0 ? 1 : 0;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** How far the work is, apart from what came out of it. */
function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
