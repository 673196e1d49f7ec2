/**
 * `npm run test:mutations [-- NAME... --seed S --seeds N --ticks T --patches DIR --json]`:
 * puts each mutation to the test alone, after the product as it is has passed the same seeds.
 *
 * Exit 0 when each was caught, 1 when one escaped or the product itself failed, 2 when
 * the command line or a patch is wrong.
 */

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../lab/project-files.ts';
import { type Budget, hunt } from './hunt.ts';
import { chosen, type Mutation, mutationsOf } from './mutation.ts';
import { closingLine, type Trial, trialLine } from './report.ts';
import { checkApplies, patched, unpatched, type Workshop } from './workshop.ts';

/** The name under which the product as it is appears. */
const UNPATCHED = 'none';

// Nothing is left behind by one who does not wait for the end.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => process.exit(130));
}

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: {
        seed: { type: 'string', default: '1' },
        seeds: { type: 'string', default: '300' },
        ticks: { type: 'string', default: '20000' },
        patches: { type: 'string', default: join(projectRoot, 'test/mutations/patches') },
        json: { type: 'boolean', default: false },
      },
      allowPositionals: true,
    });
    const budget = {
      first: positive('seed', values.seed),
      seeds: positive('seeds', values.seeds),
      ticks: positive('ticks', values.ticks),
    };
    const mutations = chosen(mutationsOf(values.patches), positionals);
    for (const mutation of mutations) await checkApplies(mutation);
    return await test(mutations, budget, values.json);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return 2;
  }
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new Error(`--${name} must be a whole number above 0, is "${text}"`);
}

async function test(
  mutations: readonly Mutation[],
  budget: Budget,
  isJson: boolean,
): Promise<number> {
  const print = (line: string): unknown => isJson || process.stdout.write(`${line}\n`);
  const product = await trial(unpatched(), { name: UNPATCHED, invariants: [] }, budget);
  print(trialLine(product));
  if (product.caught !== undefined) {
    print(`the product itself fails: ${product.caught.text}`);
    return 1;
  }
  const trials: Trial[] = [];
  for (const mutation of mutations) {
    const done = await trial(await patched(mutation), mutation, budget);
    trials.push(done);
    print(trialLine(done));
  }
  print(closingLine(trials));
  if (isJson) process.stdout.write(`${JSON.stringify({ ...budget, product, trials })}\n`);
  return trials.some(({ isCaught }) => !isCaught) ? 1 : 0;
}

async function trial(
  workshop: Workshop,
  { name, invariants }: Pick<Mutation, 'name' | 'invariants'>,
  budget: Budget,
): Promise<Trial> {
  const begunAtMs = performance.now();
  try {
    const caught = await hunt(workshop.program, budget, invariants.includes('assertion'));
    const isCaught = caught !== undefined && caught.by !== 'crash';
    const seconds = (performance.now() - begunAtMs) / 1000;
    return { name, invariants, caught, isCaught, seconds };
  } finally {
    workshop.remove();
  }
}
