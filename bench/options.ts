/** The command line of the benches. */

import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { MailraftError, messageOf } from '../src/errors.ts';

export interface BenchOptions {
  readonly area: string;
  /** The workload to take alone. */
  readonly only: string | undefined;
  readonly runs: number;
  readonly isJson: boolean;
  readonly folder: string;
}

export const USAGE =
  'usage: npm run bench -- consensus [--only NAME] [--runs N] [--json] [--folder PATH]';

const RUNS = 5;
const RUNS_MAX = 100;
const LATER_AREAS: readonly string[] = ['replication', 'gateway'];

/** Throws `USAGE` saying what is wrong and what is accepted. */
export function readOptions(args: readonly string[], workloads: readonly string[]): BenchOptions {
  const { values, positionals } = parsed(args);
  const [area, ...rest] = positionals;
  if (area === undefined || rest.length > 0) throw wrong('one area is wanted: consensus');
  if (LATER_AREAS.includes(area)) throw wrong(`${area} is not in this version`);
  if (area !== 'consensus') throw wrong(`there is no area ${JSON.stringify(area)}`);
  if (values.only !== undefined && !workloads.includes(values.only)) {
    throw wrong(`there is no ${JSON.stringify(values.only)}: ${workloads.join(', ')}`);
  }
  const runs = Number(values.runs ?? RUNS);
  if (!Number.isInteger(runs) || runs < 1 || runs > RUNS_MAX) {
    throw wrong(`--runs is ${JSON.stringify(values.runs)}: 1 to ${RUNS_MAX}`);
  }
  const folder = resolve(values.folder ?? tmpdir());
  return { area, only: values.only, runs, isJson: values.json, folder };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        only: { type: 'string' },
        runs: { type: 'string' },
        json: { type: 'boolean', default: false },
        folder: { type: 'string' },
      },
    });
  } catch (error) {
    throw wrong(messageOf(error));
  }
}

function wrong(what: string): MailraftError {
  return new MailraftError('USAGE', `${what}\n${USAGE}`);
}
