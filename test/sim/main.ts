/**
 * `npm run sim -- [--seed S] [--seeds N] [--ticks T] [--members M] [--faults A,B] [--storage K]
 * [--json]`: runs N seeds from S on all cores.
 *
 * A failure prints the invariant, the shrunk case's trace, and the arguments that run it
 * again. Exit 1 when a seed failed, or when something that must happen never did in a
 * campaign of 100 seeds or more; 2 when the command line is wrong.
 */

import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { projectRoot } from '../lab/project-files.ts';
import { type Campaign, campaign, type SeedReport } from './campaign.ts';
import { missingIn } from './coverage.ts';
import { FAULT_KINDS, type FaultKind } from './faults/kinds.ts';
import type { RunOptions, StorageKind } from './plan.ts';

/** Fewer seeds may well lack a rare event. */
const SEEDS_FOR_COVERAGE = 100;

interface Command {
  readonly first: number;
  readonly count: number;
  readonly isJson: boolean;
  readonly options: Omit<RunOptions, 'seed'>;
}

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

function commandOf(args: readonly string[]): Command {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string', default: '1' },
      seeds: { type: 'string', default: '100' },
      ticks: { type: 'string', default: '20000' },
      members: { type: 'string' },
      faults: { type: 'string' },
      storage: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const { members, faults, storage } = values;
  return {
    first: numberOf('seed', values.seed),
    count: numberOf('seeds', values.seeds),
    isJson: values.json,
    options: {
      ticks: numberOf('ticks', values.ticks),
      ...(members === undefined ? {} : { membersMax: numberOf('members', members) }),
      ...(faults === undefined ? {} : { faults: kindsOf(faults) }),
      ...(storage === undefined ? {} : { storage: storageOf(storage) }),
    },
  };
}

function numberOf(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new Error(`--${name} must be a number above 0, is "${text}"`);
}

function kindsOf(text: string): readonly FaultKind[] {
  if (text === 'none') return [];
  return text.split(',').map((name) => {
    const kind = FAULT_KINDS.find((one) => one === name);
    if (kind !== undefined) return kind;
    throw new Error(`--faults: there is no "${name}"; there are ${FAULT_KINDS.join(', ')}`);
  });
}

function storageOf(text: string): StorageKind {
  if (text === 'fast' || text === 'journal') return text;
  throw new Error(`--storage must be fast or journal, is "${text}"`);
}

function showFailure({ seed, failure }: SeedReport): void {
  if (failure === undefined) return;
  print(`seed ${seed}: ${failure.text}`);
  for (const line of failure.trace) print(`  ${line}`);
  print(`  again: npm run sim -- ${failure.again}`);
}

function show(command: Command, outcome: Campaign, tookMs: number): void {
  const { failed, passed, committed, ticks, counts, storages } = outcome;
  for (const kind of Object.keys(counts).sort()) {
    print(`${String(counts[kind]).padStart(11)} ${kind}`);
  }
  const { first, count, options } = command;
  const kinds = Object.entries(storages).map(([kind, seeds]) => `${seeds} on the ${kind} storage`);
  print(
    `seeds ${first} to ${first + count - 1} (${kinds.join(', ')}), ${options.ticks} ticks each`,
  );
  const rate = Math.round(ticks / (tookMs / 1000)).toLocaleString('en');
  print(`${ticks.toLocaleString('en')} ticks in ${(tookMs / 1000).toFixed(1)} s, ${rate} a second`);
  print(`${committed.toLocaleString('en')} entries committed, fingerprint ${outcome.fingerprint}`);
  print(`${passed} passed, ${failed.length} failed, commit ${commitOf() ?? 'unknown'}`);
}

/** What the figures are of; undefined outside of a clone. */
function commitOf(): string | undefined {
  const asked = ['describe', '--always', '--dirty', '--abbrev=12', '--exclude', '*'];
  const { status, stdout } = spawnSync('git', asked, { cwd: projectRoot, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

async function main(): Promise<number> {
  const command = commandOf(process.argv.slice(2));
  const { first, count, isJson, options } = command;
  const begunAt = performance.now();
  const outcome = await campaign({ first, count }, options, showFailure);
  const tookMs = performance.now() - begunAt;
  const missing = count >= SEEDS_FOR_COVERAGE ? missingIn(outcome.counts) : [];
  if (isJson) {
    const failed = outcome.failed.map(({ seed }) => seed);
    print(JSON.stringify({ ...outcome, failed, missing }));
  } else {
    show(command, outcome, tookMs);
    if (missing.length > 0) print(`never happened: ${missing.join(', ')}`);
  }
  return outcome.failed.length + missing.length > 0 ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
